import { limitNames, limitOf } from '../core/limits.ts'
import { formats } from '../report/renderer.ts'
import { widest } from '../report/text.ts'

export const exitCodes = `Exit codes:
  0    no gate, or every gate is met
  1    a gate is not met, or is inconclusive
  2    usage, configuration, unreadable or unsafe model, internal error
  130  interrupted`

export const auditExamples = `Examples:
  $ lipschitz model.onnx                              audit, as a table
  $ lipschitz audit model.onnx --max-lipschitz 100    fail unless the bound is at most 100
  $ lipschitz audit *.onnx --max-layer 1.01 -q        one line per model
  $ lipschitz audit net.onnx -f table -f json:report.json -f sarif:report.sarif
  $ lipschitz audit net.onnx --input-shape x=1,3,224,224 --top 10 --sort sigma
  $ lipschitz inspect model.onnx | grep Conv`

export function formatTable(): string {
  const width = widest(Object.keys(formats)) + 2
  const rows = Object.entries(formats).map(([name, { summary }]) => `  ${name.padEnd(width)}${summary}`)
  return ['Formats:', ...rows].join('\n')
}

export function limitTable(): string {
  const width = widest(limitNames) + 2
  const values = limitNames.map((name) => String(limitOf(name).value))
  const rows = limitNames.map((name, i) => {
    return `  ${name.padEnd(width)}${values[i].padStart(widest(values))}  ${limitOf(name).counts}`
  })
  return ['Limits, with their defaults:', ...rows].join('\n')
}

export const inspectFields = `Fields of a node, with tabs between them unless on a terminal:
  node, id (within a body: id of the owner/id), operator, name,
  rule: bound (bounds are carried through), no-rule (no certificate behind it),
        unknown (operator not known), constant (folded away),
  group of its rule: a page below docs/operators, layers found,
  gain=, by which L grows here, and of the outputs L=, range=, norm=, offset=:
        |Δoutput| ≤ L·|Δinputs| + offset, every element lies in range, |output| ≤ norm,
  inputs, ->, outputs; a value is name:type[shape], name=type[shape] where it is constant,
  reason= why there is no bound, behind= the node after which there is none`

export const completionHelp = `For example:
  $ lipschitz completion bash > ~/.local/share/bash-completion/completions/lipschitz
  $ lipschitz completion zsh > "\${fpath[1]}/_lipschitz"
  $ lipschitz completion fish > ~/.config/fish/completions/lipschitz.fish`
