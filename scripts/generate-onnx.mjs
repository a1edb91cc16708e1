// Turns src/onnx/onnx.proto into the decoder (onnx.js), its types (onnx.d.ts) and the wire scan's table (fields.ts).
// Writes to src/onnx/generated, or to the folder given as argument.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import protobuf from 'protobufjs'

const folder = join(dirname(fileURLToPath(import.meta.url)), '../src/onnx')
const schema = join(folder, 'onnx.proto')
const generated = process.argv[2] ?? join(folder, 'generated')
const header = '// Generated from onnx.proto by scripts/generate-onnx.mjs.'

/** Tensor data: what the scan cuts out of the bytes that are decoded. */
const payloadFields = new Set([
  'float_data',
  'int32_data',
  'string_data',
  'int64_data',
  'raw_data',
  'double_data',
  'uint64_data',
])
/** Documentation: never read, so that neither its size nor its encoding matters. */
const unreadFields = new Set(['doc_string', 'metadata_props', 'denotation'])

const messages = []
const pending = [
  ...new protobuf.Root().loadSync(schema, { keepCase: true }).resolveAll().lookup('onnx').nestedArray,
]
while (pending.length > 0) {
  const type = pending.shift()
  if (type instanceof protobuf.Type) messages.push(type)
  pending.push(...(type.nestedArray ?? []))
}
const typeName = (type) => (type.parent instanceof protobuf.Type ? typeName(type.parent) : '') + type.name
const camelCase = (name) => protobuf.util.camelCase(name)

// The decoder. 64-bit defaults become plain zeros, as its reader (skeleton-reader.ts) yields plain numbers.
const flags = 'encode create verify convert delimited typeurl comments service'
  .split(' ')
  .map((name) => `--no-${name}`)
const code = execFileSync(
  process.execPath,
  [
    join(folder, '../../node_modules/protobufjs-cli/bin/pbjs'),
    ...[
      '-t',
      'static-module',
      '-w',
      'esm',
      '--es6',
      '-r',
      'lipschitz',
      '--dependency',
      'protobufjs/minimal.js',
    ],
    ...flags,
    schema,
  ],
  { encoding: 'utf8', maxBuffer: 1 << 26 },
)
writeFileSync(
  join(generated, 'onnx.js'),
  `${header}\n${code.replaceAll('$util.Long ? $util.Long.fromBits(0,0,false) : 0', '0')}`,
)

// Its types: only what is read.
const scalarTypes = { string: 'string', bytes: 'Uint8Array' }
function fieldType(field) {
  return field.resolvedType ? typeName(field.resolvedType) : (scalarTypes[field.type] ?? 'number')
}
function declaration(field) {
  const type = fieldType(field)
  const nullable = field.resolvedType !== null || field.partOf !== null
  return `  readonly ${camelCase(field.name)}: ${field.repeated ? `readonly ${type}[]` : nullable ? `${type} | null` : type}`
}
function interfaceOf(type) {
  const lines = type.fieldsArray
    .filter((field) => !unreadFields.has(field.name) && !payloadFields.has(field.name))
    .map(declaration)
  for (const { name, oneof } of type.oneofsArray) {
    lines.push(`  /** Which of the fields of this group is set. */`)
    lines.push(
      `  readonly ${camelCase(name)}: ${oneof.map((member) => `'${camelCase(member)}'`).join(' | ')} | undefined`,
    )
  }
  return `export interface ${typeName(type)} {\n${lines.join('\n')}\n}\n`
}
const decoder = `import type { Reader } from 'protobufjs/minimal.js'

export declare const onnx: {
  readonly ModelProto: { decode(source: Reader | Uint8Array): ModelProto }
}
`
writeFileSync(
  join(generated, 'onnx.d.ts'),
  [`${header}\n${decoder}`, ...messages.map(interfaceOf)].join('\n'),
)

// The wire scan's table.
const wireTypes = { int32: 0, int64: 0, uint32: 0, uint64: 0, double: 1, string: 2, bytes: 2, float: 5 }
const contents = { string: 'text', bytes: 'bytes' }
function fieldRow(field) {
  const name = camelCase(field.name)
  const wire = field.resolvedType ? 2 : wireTypes[field.type]
  const content = unreadFields.has(field.name)
    ? 'unread'
    : payloadFields.has(field.name)
      ? 'payload'
      : field.resolvedType
        ? 'message'
        : (contents[field.type] ?? 'scalar')
  const parts = [`name: '${name}'`, `wire: ${wire}`, `repeated: ${field.repeated}`, `content: '${content}'`]
  if (content === 'message') parts.push(`message: '${typeName(field.resolvedType)}'`)
  if (field.partOf) parts.push(`oneof: '${field.partOf.name}'`)
  return `    ${field.id}: { ${parts.join(', ')} },`
}
const rows = messages.map((type) => {
  const fields = type.fieldsArray.filter((field) => field.name !== 'payload').sort((a, b) => a.id - b.id)
  return `  ${typeName(type)}: {\n${fields.map(fieldRow).join('\n')}\n  },`
})
const table = `${header}
import type { FieldRow } from '../field-row.ts'

/** Every message of the format, its fields by number. */
export const messageFields = {
${rows.join('\n')}
} as const satisfies Record<string, Record<number, FieldRow>>
`
writeFileSync(join(generated, 'fields.ts'), table)
