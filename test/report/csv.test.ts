import { describe, expect, it } from 'vitest'
import { renderCsv } from '../../src/report/csv.ts'
import { hostileNames, hostileReport } from './hostile.ts'
import { layer, sampleModel, sampleReport } from './sample.ts'

/** RFC 4180, read strictly: a quote stands only where the grammar has one. */
function readCsv(text: string): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y
  while (cell.lastIndex < text.length) {
    const at = cell.lastIndex
    const match = cell.exec(text)
    if (match === null) throw new Error(`not CSV at ${at}: ${text.slice(at, at + 40)}`)
    row.push(match[1]?.replaceAll('""', '"') ?? match[2])
    if (match[3] === ',') continue
    rows.push(row)
    row = []
  }
  return rows
}

describe('csv', () => {
  it('has one row per layer, read back digit for digit', () => {
    const model = sampleModel({
      layers: [layer(1), layer(2, { elasticity: -0.125, stableRank: null })],
      gates: [
        {
          rule: 'max-layer',
          limit: 7,
          lower: 9,
          upper: 10,
          verdict: 'fail',
          layers: ['/layers/layers.0/Gemm'],
        },
      ],
    })
    const [head, ...rows] = readCsv(renderCsv(sampleReport([model])))
    const [first, second] = rows.map((row) => Object.fromEntries(row.map((text, i) => [head[i], text])))
    expect(rows).toHaveLength(2)
    expect(first).toMatchObject({
      model: 'net.onnx',
      layer: '/layers/layers.0/Gemm',
      shape: '256x784',
      blamed_by: 'max-layer',
    })
    expect(Number(first.spectral_lower)).toBe(model.layers[0].spectral.lower)
    expect(Number(first.lipschitz_upper)).toBe(500 / 3)
    expect(second).toMatchObject({ elasticity: '-0.125', stable_rank: '', blamed_by: '' })
  })

  it('has its header alone without layers', () => {
    expect(readCsv(renderCsv(sampleReport([])))).toHaveLength(1)
  })

  it.each(hostileNames)('keeps %j a text of one cell', (name) => {
    const rows = readCsv(renderCsv(hostileReport(name)))
    expect(rows).toHaveLength(3)
    expect(new Set(rows.map((row) => row.length)).size).toBe(1)
    for (const text of rows.slice(1).flat()) {
      if (!/^-?[\d.]+(e[+-]?\d+)?$/.test(text)) expect(text).not.toMatch(/^\s*[=+\-@]/)
    }
  })
})
