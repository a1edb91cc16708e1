// Writes src/ops/standard/operators.ts from the change logs of the standard: node scripts/write-standard.mjs <onnx>
// where <onnx> is a checkout of github.com/onnx/onnx.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const checkout = process.argv[2]
if (checkout === undefined) throw new Error('give the folder of a checkout of github.com/onnx/onnx')

const kinds = {
  float: 'f',
  int: 'i',
  string: 's',
  tensor: 't',
  sparse_tensor: 't',
  graph: 'g',
  type_proto: 'o',
  'list of floats': 'F',
  'list of ints': 'I',
  'list of strings': 'S',
  'list of tensors': 'T',
  'list of graphs': 'G',
  'list of type_protos': 'o',
}

/** The lines below a heading of an operator, with the terms of the list that follows. */
function section(text, heading) {
  const match = new RegExp(`^#### ${heading}( \\((\\d+) - (\\d+|&#8734;)\\))?$`, 'm').exec(text)
  if (match === null) return { terms: [], least: 0, most: 0 }
  const end = text.indexOf('\n#### ', match.index + 1)
  const body = text.slice(match.index, end < 0 ? undefined : end)
  const terms = [...body.matchAll(/^<dt><tt>(.*?)<\/tt>(.*)$/gm)].map(([, name, rest]) => ({ name, rest }))
  if (match[1] === undefined) return { terms, least: terms.length, most: terms.length }
  return { terms, least: Number(match[2]), most: match[3].startsWith('&') ? '*' : Number(match[3]) }
}

/** Withdrawn long after they were published: files have them, and runtimes run them. The change log keeps no signature. */
const stillRun = new Map([['GroupNormalization 18', '18 3 3 1 1 epsilon:f num_groups:i!']])

function rowOf(name, since, text, deprecated) {
  if (deprecated) return stillRun.get(`${name} ${since}`) ?? `${since} gone`
  const { terms } = section(text, 'Attributes')
  const inputs = section(text, 'Inputs')
  const outputs = section(text, 'Outputs')
  const attributes = terms.map((term) => {
    const type = /^ : ([a-z_ ]+?)( \(|<\/dt>)/.exec(term.rest)?.[1]
    const kind = kinds[type]
    if (kind === undefined) throw new Error(`${name} ${since}: attribute ${term.name} is of type ${type}`)
    return `${term.name}:${kind}${term.rest.includes('(required)') ? '!' : ''}`
  })
  return [since, inputs.least, inputs.most, outputs.least, outputs.most, ...attributes].join(' ')
}

const operators = new Map()
for (const [file, prefix] of [
  ['docs/Changelog.md', ''],
  ['docs/Changelog-ml.md', 'ai.onnx.ml.'],
]) {
  const text = readFileSync(join(checkout, file), 'utf8')
  let domain = prefix
  for (const part of text.split(/^(?=##+ )/m)) {
    const heading = /^## Version \d+ of the (?:'(.*)'|default ONNX) operator set/.exec(part)
    if (heading !== null) domain = heading[1] === undefined ? '' : `${heading[1]}.`
    const operator = /^### <a name="[^"]*"><\/a>\*\*(?:[\w.]+\.)?(\w+)-(\d+)\*\*( \(deprecated\))?<\/a>/.exec(
      part,
    )
    if (operator === null) continue
    const [, name, since, deprecated] = operator
    const key = domain + name
    operators.set(key, [
      ...(operators.get(key) ?? []),
      rowOf(key, Number(since), joined(text, part), deprecated),
    ])
  }
}

/** An operator's text from its heading on: headings of lower rank belong to it. */
function joined(text, part) {
  const start = text.indexOf(part)
  const end = text.slice(start + 4).search(/^##{1,2} /m)
  return text.slice(start, end < 0 ? undefined : start + 4 + end)
}

const rest = (row) => row.slice(row.indexOf(' '))

const lines = [...operators]
  .toSorted(([a], [b]) => (a < b ? -1 : 1))
  .map(([key, rows]) => {
    const sorted = rows.toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
    // a version that changed nothing of this is left out
    const changes = sorted.filter((row, i) => i === 0 || rest(row) !== rest(sorted[i - 1]))
    const body = changes.map((row) => `\n    '${row}',`).join('')
    return `  ${/^\w+$/.test(key) ? key : `'${key}'`}: [${body}\n  ],`
  })
writeFileSync(
  join(import.meta.dirname, '../src/ops/standard/operators.ts'),
  `// Generated from the change logs of the standard by scripts/write-standard.mjs.

/**
 * Operators of the standard by domain and name, a row for each version from which something changed: the version,
 * fewest and most inputs, fewest and most outputs (* is any number), attributes with their kinds (! where required).
 */
export const standardOperators: Readonly<Record<string, readonly string[]>> = {
${lines.join('\n')}
}
`,
)
