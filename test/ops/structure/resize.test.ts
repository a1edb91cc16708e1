import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runInRuntime } from '../../helpers/onnx-runtime.ts'
import { float, int64Of, ints, type NodeSpec, shapeOf, tensorOf, text } from '../../helpers/operator-bench.ts'

/** Sides that are awkward to scale: primes, powers of two, one. */
const side = fc.constantFrom(1, 2, 3, 5, 7, 8, 13, 32, 33)
const sides = fc.tuple(side, side)

describe('resized shapes', () => {
  it('are those of onnxruntime for scales that were once quotients of sizes', async () => {
    await fc.assert(
      fc.asyncProperty(
        sides,
        sides,
        fc.constantFrom(10, 11, 13, 19),
        async ([height, width], [tall, wide], version) => {
          const data = tensorOf([1, 1, height, width], new Float32Array(height * width))
          const scales = tensorOf([4], [1, 1, tall / height, wide / width])
          const spec: NodeSpec = { op: 'Resize', version, attributes: { mode: text('nearest') } }
          const roi = version < 13 ? tensorOf([0], []) : null
          const inputs = version === 10 ? [data, scales] : [data, roi, scales]
          const [computed] = await runInRuntime(spec, inputs)
          expect(shapeOf(spec, inputs)).toEqual(computed.dims)
        },
      ),
      { numRuns: 150, seed: 2 },
    )
  })

  it('are those of onnxruntime for arbitrary scales', async () => {
    const scale = fc.float({ min: Math.fround(0.4), max: 4, noNaN: true })
    await fc.assert(
      fc.asyncProperty(sides, fc.tuple(scale, scale), async ([height, width], [tall, wide]) => {
        const data = tensorOf([1, 1, height, width], new Float32Array(height * width))
        const spec: NodeSpec = { op: 'Resize', version: 13, attributes: { mode: text('linear') } }
        const inputs = [data, null, tensorOf([4], [1, 1, tall, wide])]
        fc.pre(Math.floor(height * tall) > 0 && Math.floor(width * wide) > 0)
        const [computed] = await runInRuntime(spec, inputs)
        expect(shapeOf(spec, inputs)).toEqual(computed.dims)
      }),
      { numRuns: 100, seed: 2 },
    )
  })

  it('keep the aspect ratio where the policy says so', async () => {
    const policy = fc.constantFrom('stretch', 'not_larger', 'not_smaller')
    await fc.assert(
      fc.asyncProperty(sides, sides, policy, async ([height, width], [tall, wide], keep) => {
        const data = tensorOf([1, 1, height, width], new Float32Array(height * width))
        const attributes = {
          mode: text('nearest'),
          keep_aspect_ratio_policy: text(keep),
          axes: ints([2, 3]),
        }
        const spec: NodeSpec = { op: 'Resize', version: 19, attributes }
        const inputs = [data, null, null, int64Of([tall, wide])]
        const inferred = shapeOf(spec, inputs)!
        fc.pre(!inferred.includes(0))
        const [computed] = await runInRuntime(spec, inputs, [3])
        expect(inferred).toEqual(computed.dims)
      }),
      { numRuns: 150, seed: 2 },
    )
  })

  it('scale the region of interest where the image is cropped', () => {
    const attributes = { mode: text('linear'), coordinate_transformation_mode: text('tf_crop_and_resize') }
    const roi = tensorOf([8], [0, 0, 0.25, 0, 1, 1, 0.75, 1])
    const inputs = [tensorOf([1, 1, 8, 8], new Float32Array(64)), roi, tensorOf([4], [1, 1, 2, 2])]
    expect(shapeOf({ op: 'Resize', version: 13, attributes }, inputs)).toEqual([1, 1, 8, 16])
  })

  it('are unknown where scales and sizes are', () => {
    const x = { type: 'float32', shape: [1, 3, 8, 8] } as const
    const open = { type: 'float32', shape: [4] } as const
    expect(shapeOf({ op: 'Resize', version: 13 }, [x, null, open])).toEqual([null, null, null, null])
    expect(
      shapeOf({ op: 'Resize', version: 13 }, [x, null, tensorOf([0], []), { type: 'int64', shape: [4] }]),
    ).toEqual([null, null, null, null])
  })

  it('follow the attributes of Upsample before scales became an input', () => {
    const x = { type: 'float32', shape: [1, 3, 8, 9] } as const
    const sized = {
      op: 'Upsample',
      version: 1,
      attributes: { width_scale: float(2), height_scale: float(1.5) },
    }
    expect(shapeOf(sized, [x])).toEqual([1, 3, 12, 18])
    const scaled = {
      op: 'Upsample',
      version: 7,
      attributes: { scales: { kind: 'floats', value: [1, 1, 2, 3] } },
    } as const
    expect(shapeOf(scaled, [x])).toEqual([1, 3, 16, 27])
    expect(shapeOf({ op: 'Upsample', version: 9 }, [x, tensorOf([4], [1, 1, 2, 2])])).toEqual([1, 3, 16, 18])
  })
})
