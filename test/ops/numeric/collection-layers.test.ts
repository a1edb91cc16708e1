import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readModel } from '../../../src/graph/read-model.ts'
import { inferModel } from '../../../src/infer/infer.ts'
import { layersOf, type PlacedLayer } from '../../../src/infer/layers.ts'

/** The collection of real models, with what is known of their dense and convolution layers. */
const collection = resolve(import.meta.dirname, '../../../../shared/models')
const table = join(collection, 'ORACLE.tsv')

interface Row {
  readonly path: string
  readonly op: string
  readonly node: string
  readonly weight: string
  readonly weightShape: string
  readonly inShape: string
  readonly outShape: string
  readonly strides: string
  readonly pads: string
  readonly dilations: string
  readonly group: string
}

function rows(): Row[] {
  if (!existsSync(table)) return []
  const [, ...lines] = readFileSync(table, 'utf8').trim().split('\n')
  return lines.map((line) => {
    const [path, , op, node, weight, weightShape, inShape, outShape, strides, pads, dilations, group] =
      line.split('\t')
    return { path, op, node, weight, weightShape, inShape, outShape, strides, pads, dilations, group }
  })
}

const byPath = new Map<string, Row[]>()
for (const row of rows()) byPath.set(row.path, [...(byPath.get(row.path) ?? []), row])

const joined = (dims: readonly number[]) => dims.join('x')

function expectGeometry({ spec }: PlacedLayer, row: Row): void {
  expect(joined(spec.weightShape)).toBe(row.weightShape)
  const { operator } = spec
  if (operator.form !== 'convolution') {
    expect(row.op).not.toBe('Conv')
    return
  }
  const list = (text: string): unknown => JSON.parse(text)
  expect(operator.strides).toEqual(list(row.strides))
  expect([...operator.padsBegin, ...operator.padsEnd]).toEqual(list(row.pads))
  expect(operator.dilations).toEqual(list(row.dilations))
  expect(String(operator.groups)).toBe(row.group)
  expect(joined([operator.inChannels, ...(operator.inputSize ?? [])])).toBe(row.inShape)
  expect(joined([operator.outChannels, ...(operator.outputSize ?? [])])).toBe(row.outShape)
}

describe.skipIf(byPath.size === 0)('layers of the collection of real models', () => {
  it.each([...byPath])('%s has every layer that is known of it', (path, known) => {
    const layers = layersOf(inferModel(readModel(join(collection, path))))
    for (const row of known) {
      const found = layers.filter(({ node, spec }) => {
        return (
          node.op === row.op && spec.weightName === row.weight && (row.node === '' || node.name === row.node)
        )
      })
      expect(found.length, `${row.op} ${row.node} ${row.weight}`).toBe(1)
      expectGeometry(found[0], row)
    }
  })
})
