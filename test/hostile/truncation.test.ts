import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { LipschitzError } from '../../src/core/errors.ts'
import { readModel } from '../../src/graph/read-model.ts'
import { inferModel } from '../../src/infer/infer.ts'
import { layersOf } from '../../src/infer/layers.ts'
import { model } from '../helpers/onnx-builder.ts'
import { plain } from './row.ts'

const folder = mkdtempSync(join(tmpdir(), 'lipschitz-cut-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const stored = (name: string) => readFileSync(resolve(import.meta.dirname, '../../fixtures', name))

/** What a model computes, as far as a file that lost its end could lose some of it. */
function summary(path: string): string {
  const typed = inferModel(readModel(path))
  const { graph, opsets, irVersion } = typed.model
  return JSON.stringify([
    irVersion,
    [...opsets],
    graph.nodes.map(({ op, name }) => [op, name]),
    [graph.inputs, graph.outputs].map((values) => values.map(({ name }) => name)),
    layersOf(typed).map(({ key }) => key),
  ])
}

/** Null, the same model, or an error that users are expected to meet. */
function outcome(path: string, whole: string): 'refused' | 'whole' | unknown {
  try {
    const read = summary(path)
    return read === whole ? 'whole' : read
  } catch (error) {
    return error instanceof LipschitzError && error.code !== 'internal' ? 'refused' : error
  }
}

describe('a file that is cut off', () => {
  it.each([
    ['a model of one layer', () => model(plain)],
    ['a model by PyTorch, with external data', () => stored('formats/same-external-data.onnx')],
    ['a quantised model', () => stored('formats/near-int8-tensor.onnx')],
  ])('is refused at every byte, or is the same model: %s', (_, bytesOf) => {
    const bytes = bytesOf()
    const path = join(folder, 'model.onnx')
    writeFileSync(join(folder, 'same-external-data.bin'), stored('formats/same-external-data.bin'))
    writeFileSync(path, bytes)
    const whole = summary(path)
    const outcomes = new Map<unknown, number>()
    for (let length = bytes.length - 1; length >= 0; length--) {
      truncateSync(path, length)
      const found = outcome(path, whole)
      outcomes.set(found, (outcomes.get(found) ?? 0) + 1)
    }
    const refused = outcomes.get('refused') ?? 0
    expect([...outcomes.keys()].filter((found) => found !== 'whole')).toEqual(['refused'])
    // behind the graph there may be a field or two that can be missing
    expect(bytes.length - refused).toBeLessThan(5)
  })
})
