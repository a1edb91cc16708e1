import type { ModelReport, ReportedInput } from '../../audit/report-schema.ts'
import { displayName } from '../display-name.ts'
import { formatCount, formatShape } from '../numbers.ts'
import type { RenderOptions } from '../renderer.ts'
import { wrap } from '../text.ts'
import type { Style } from './style.ts'

const SHOWN = 4

function describeValues(values: readonly Pick<ReportedInput, 'name' | 'shape' | 'dtype'>[]): string {
  const shown = values
    .slice(0, SHOWN)
    .map(
      ({ name, shape, dtype }) =>
        `${displayName(name, 40)} ${formatShape(shape)} ${dtype ?? 'of unknown type'}`,
    )
  const rest = values.length - shown.length
  return [...shown, ...(rest > 0 ? [`${rest} more`] : [])].join(', ')
}

/** ai.onnx first, as 'opset 17'; other domains by name. */
function describeOpsets(opsets: ModelReport['opsets']): string[] {
  const main = opsets[''] ?? opsets['ai.onnx']
  const others = Object.entries(opsets).filter(([domain]) => domain !== '' && domain !== 'ai.onnx')
  return [
    ...(main === undefined ? [] : [`opset ${main}`]),
    ...others.map(([domain, version]) => `${displayName(domain, 30)} ${version}`),
  ]
}

/** What the file is: path, versions, size, inputs → outputs. */
export function renderHeader(model: ModelReport, options: RenderOptions, style: Style): string[] {
  const facts = [
    ...describeOpsets(model.opsets),
    `IR ${model.irVersion}`,
    `${formatCount(model.parameters)} parameters`,
    ...(model.producer === '' ? [] : [displayName(model.producer, 50)]),
  ]
  const values = `${describeValues(model.inputs)} → ${describeValues(model.outputs)}`
  const [first, ...more] = wrap(values, options.width - 2)
  return [
    style.title(displayName(model.path, 1000)),
    style.faint(facts.join(' · ')),
    first,
    ...more.map((line) => `  ${line}`),
  ]
}
