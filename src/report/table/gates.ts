import type { ModelReport } from '../../audit/report-schema.ts'
import { describeGate } from '../gate-words.ts'
import { type Style, verdictMark } from './style.ts'

/** One line per gate with its mark, and below it what would help where it is not met. */
export function renderGates(model: ModelReport, style: Style): string[] {
  if (model.gates.length === 0) return []
  const lines = model.gates.flatMap((gate) => {
    const { claim, found, help } = describeGate(gate, model)
    const head = `  ${verdictMark(gate.verdict, style)} ${claim}: ${found}`
    return [head, ...help.map((line) => `       ${line}`)]
  })
  return [style.title('Gates'), ...lines]
}
