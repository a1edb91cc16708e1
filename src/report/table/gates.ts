import type { ModelReport } from '../../audit/report-schema.ts'
import { describeGate } from '../gate-words.ts'
import type { RenderOptions } from '../renderer.ts'
import { wrap } from '../text.ts'
import { type Style, verdictMark } from './style.ts'

const INDENT = ' '.repeat(7)

/** One line per gate with its mark, and below it what would help where it is not met. */
export function renderGates(model: ModelReport, { width }: RenderOptions, style: Style): string[] {
  if (model.gates.length === 0) return []
  const room = Math.max(40, width - INDENT.length)
  const lines = model.gates.flatMap((gate) => {
    const { claim, found, help } = describeGate(gate, model)
    const [first, ...more] = wrap(`${claim}: ${found}`, room)
    const rest = [...more.map((line) => `  ${line}`), ...help.flatMap((line) => wrap(line, room))]
    return [`  ${verdictMark(gate.verdict, style)} ${first}`, ...rest.map((line) => INDENT + line)]
  })
  return [style.title('Gates'), ...lines]
}
