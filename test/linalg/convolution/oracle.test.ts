import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { onnx } from 'onnx-proto'
import { describe, expect, it } from 'vitest'
import { relativeWidth } from '../../../src/core/enclosure.ts'
import { encloseConvolution } from '../../../src/linalg/convolution.ts'
import type { ConvolutionOperator } from '../../../src/linalg/linear-operator.ts'

/** The collection of real models. */
const models = resolve(import.meta.dirname, '../../../../shared/models')
const table = resolve(models, 'ORACLE.tsv')
const options = { tolerance: 1e-3, certify: 'probabilistic', seed: 1, failureProbability: 1e-10 } as const

interface Row {
  readonly path: string
  readonly op: string
  readonly node: string
  readonly weight: string
  readonly weight_shape: string
  readonly in_shape: string
  readonly out_shape: string
  readonly strides: string
  readonly pads: string
  readonly dilations: string
  readonly group: string
  readonly sigma1: string
}

function rows(): Row[] {
  const [head, ...lines] = readFileSync(table, 'utf8').trim().split('\n')
  const names = head.split('\t')
  return lines.map((line) => {
    const cells = line.split('\t')
    return Object.fromEntries(names.map((name, i) => [name, cells[i]])) as unknown as Row
  })
}

function floatsOf(path: string, name: string): Float32Array | null {
  const model = onnx.ModelProto.decode(readFileSync(resolve(models, path)))
  const constants = (model.graph?.node ?? []).filter((node) => node.opType === 'Constant')
  const tensor =
    model.graph?.initializer?.find((candidate) => candidate.name === name) ??
    constants.find((node) => node.output?.[0] === name)?.attribute?.[0]?.t
  if (tensor == null || tensor.dataType !== 1 || tensor.externalData?.length) return null
  if (tensor.floatData && tensor.floatData.length > 0) return Float32Array.from(tensor.floatData)
  const bytes = Uint8Array.from(tensor.rawData as Uint8Array)
  return new Float32Array(bytes.buffer)
}

describe.skipIf(!existsSync(table))('convolutions of real models', () => {
  const convolutions = existsSync(table) ? rows().filter((row) => row.op === 'Conv') : []
  const numbers = (text: string, separator: string | RegExp) =>
    text.match(/\d+/g)?.map(Number) ?? text.split(separator)

  it('encloses what an explicit sparse operator gives', { timeout: 120_000 }, () => {
    const wrong: string[] = []
    let measured = 0
    for (const row of convolutions) {
      const weights = floatsOf(row.path, row.weight)
      if (weights === null) continue
      const list = (text: string) => numbers(text, ',') as number[]
      const [outChannels, , ...kernel] = list(row.weight_shape)
      const [inChannels, ...inputSize] = list(row.in_shape)
      const pads = list(row.pads)
      const operator: ConvolutionOperator = {
        form: 'convolution',
        inChannels,
        outChannels,
        groups: Number(row.group),
        kernel,
        strides: list(row.strides),
        dilations: list(row.dilations),
        padsBegin: pads.slice(0, kernel.length),
        padsEnd: pads.slice(kernel.length),
        inputSize,
        outputSize: list(row.out_shape).slice(1),
        factor: 1,
        load: () => weights,
      }
      const found = encloseConvolution(operator, weights, options)
      const sigma = Number(row.sigma1)
      measured++
      const holds =
        found.lower <= sigma * (1 + 1e-6) &&
        found.upper >= sigma * (1 - 1e-6) &&
        relativeWidth(found) <= options.tolerance
      if (!holds)
        wrong.push(`${row.path} ${row.node}: ${found.lower} ${sigma} ${found.upper} ${found.method}`)
    }
    expect(wrong).toEqual([])
    expect(measured).toBeGreaterThan(60)
  })
})
