import type { ModelReport, Report, TracePoint } from '../../../src/audit/report-schema.ts'
import { bound, layer, sampleModel, sampleReport } from '../sample.ts'

/** A point of a trace that reads the one before it, or what is given. */
export function point(place: number, facts: Partial<TracePoint> = {}): TracePoint {
  return { node: `n${place}`, op: 'Relu', from: place === 0 ? [] : [place - 1], log10: 0, ...facts }
}

/** Three dense layers of norms 10, 5 and 10/3, each followed by a Relu, the last two around a skip. */
export function traced(facts: Partial<ModelReport> = {}): ModelReport {
  const gemm = (rank: number) => layer(rank).node
  const log10 = (value: number) => Math.log10(value)
  return sampleModel({
    lipschitz: { ...sampleModel().lipschitz, lower: { value: 20, log10: log10(20), method: 'jacobian' } },
    trace: [
      { node: 'x', op: '', from: [], log10: 0 },
      { node: gemm(1), op: 'Gemm', from: [0], log10: 1 },
      { node: 'relu1', op: 'Relu', from: [1], log10: 1 },
      { node: gemm(2), op: 'Gemm', from: [2], log10: log10(50) },
      { node: 'relu2', op: 'Relu', from: [3], log10: log10(50) },
      { node: 'skip', op: 'Add', from: [2, 4], log10: log10(60) },
      { node: gemm(3), op: 'Gemm', from: [5], log10: log10(200) },
    ],
    ...facts,
  })
}

/** A chain of so many dense layers, with a skip over every fifth. */
export function deep(layers: number): ModelReport {
  const trace: TracePoint[] = [{ node: 'x', op: '', from: [], log10: 0 }]
  for (let rank = 1; rank <= layers; rank++) {
    const from = trace.length - 1
    trace.push(
      { node: layer(rank).node, op: 'Gemm', from: [from], log10: rank / 10 },
      {
        node: `add${rank}`,
        op: 'Add',
        from: rank % 5 === 0 ? [from, from + 1] : [from + 1],
        log10: rank / 10,
      },
      { node: `relu${rank}`, op: 'Relu', from: [from + 2], log10: rank / 10 },
    )
  }
  const upper = bound(10 ** (layers / 10))
  return sampleModel({
    lipschitz: { upper, lower: null, offset: 0, ladder: [upper] },
    layers: Array.from({ length: layers }, (_, i) => layer(i + 1)),
    trace,
  })
}

/** A name wherever a page shows one. */
export function named(report: Report, name: string): Report {
  const models = report.models.map((model) => ({
    ...model,
    trace: [
      { node: name, op: '', from: [], log10: 0 },
      { node: name, op: name, from: [0], log10: 1 },
      { node: `${name}+`, op: name, from: [1], log10: null, unbounded: true as const },
    ],
  }))
  return { ...report, models: [...models, ...sampleReport().models] }
}
