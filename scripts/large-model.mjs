// Writes large models for measurements: a chain of dense layers with random weights, and nodes that cost nothing.
//
//   node scripts/large-model.mjs out.onnx --layers 16 --width 8192             16 layers of 8192 × 8192, 4 GiB beside out.onnx
//   node scripts/large-model.mjs out.onnx --layers 7 --width 8192 --inside     weights in the model file itself
//   node scripts/large-model.mjs out.onnx --layers 1 --rows 250000 --width 4000    one layer of 10⁹ weights
//   node scripts/large-model.mjs out.onnx --layers 10 --width 64 --nodes 100000    activations between the layers
//   node scripts/large-model.mjs out.onnx --layers 1000 --width 64 --residual      y = x + W x, layer for layer
import { closeSync, openSync, statSync, writeSync } from 'node:fs'
import { basename } from 'node:path'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    layers: { type: 'string', default: '4' },
    width: { type: 'string', default: '1024' },
    rows: { type: 'string' },
    nodes: { type: 'string', default: '0' },
    inside: { type: 'boolean', default: false },
    residual: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
  },
})
const [path] = positionals
const [layers, width, nodes] = [values.layers, values.width, values.nodes].map(Number)
const rows = Number(values.rows ?? width)
if (path === undefined || !(layers >= 1 && width >= 1 && rows >= 1)) {
  console.error(
    'node scripts/large-model.mjs <out.onnx> --layers n --width n [--rows n] [--nodes n] [--inside]',
  )
  process.exit(2)
}

// protobuf, as far as it is needed
function varint(value) {
  const bytes = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest])
    bytes.push((rest % 128) | 128)
  }
}
const key = (field, type) => varint(field * 8 + type)
const int = (field, value) => Buffer.concat([key(field, 0), varint(value)])
const lengthOf = (field, length) => Buffer.concat([key(field, 2), varint(length)])
const bytes = (field, content) => Buffer.concat([lengthOf(field, content.length), content])
const text = (field, content) => bytes(field, Buffer.from(content))
const message = (field, ...parts) => bytes(field, Buffer.concat(parts))

const nodeOf = (op, inputs, output) =>
  message(1, ...inputs.map((name) => text(1, name)), text(2, output), text(3, `${output}_node`), text(4, op))
const valueInfo = (field, name, dims) =>
  message(
    field,
    text(1, name),
    message(2, message(1, int(1, 1), message(2, ...dims.map((dim) => message(1, int(1, dim)))))),
  )

// a block of normal numbers, read from another place for each layer: its matrices have no block in common
const BLOCK = 1 << 22
const block = new Float32Array(2 * BLOCK)
let state = BigInt(values.seed) * 0x9e3779b97f4a7c15n
function uniform() {
  state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn
  return (Number(state >> 11n) + 0.5) / 2 ** 53
}
for (let i = 0; i < BLOCK; i += 2) {
  const radius = Math.sqrt((-2 * Math.log(uniform())) / width)
  const angle = 2 * Math.PI * uniform()
  block[i] = radius * Math.cos(angle)
  block[i + 1] = radius * Math.sin(angle)
}
block.copyWithin(BLOCK, 0, BLOCK)

/** Writes the elements of a layer, from a place in the block that moves by an odd step. */
function writeWeights(file, layer, count) {
  for (let done = 0, piece = 0; done < count; done += BLOCK, piece++) {
    const start = ((layer * 7919 + piece * 104_729) * 31) % BLOCK
    const part = block.subarray(start, start + Math.min(BLOCK, count - done))
    for (let at = 0, view = Buffer.from(part.buffer, part.byteOffset, part.byteLength); at < view.length; )
      at += writeSync(file, view, at)
  }
}

const dimsOf = (layer) => [layer === 0 ? rows : width, width]
const sizeOf = (layer) => dimsOf(layer)[0] * dimsOf(layer)[1]
const graphNodes = []
const between = Math.floor(Math.max(0, nodes - layers) / layers)
let value = 'x'
for (let layer = 0; layer < layers; layer++) {
  graphNodes.push(nodeOf('MatMul', [value, `w${layer}`], `h${layer}`))
  if (values.residual) graphNodes.push(nodeOf('Add', [value, `h${layer}`], `s${layer}`))
  value = `${values.residual ? 's' : 'h'}${layer}`
  for (let i = 0; i < between; i++) {
    const last = layer === layers - 1 && i === between - 1
    const next = last ? 'y' : `a${layer}_${i}`
    graphNodes.push(nodeOf('Relu', [value], next))
    value = next
  }
}
const output = value

const dataName = `${basename(path)}.data`
const headers = Array.from({ length: layers }, (_, layer) => {
  const about = Buffer.concat([...dimsOf(layer).map((dim) => int(1, dim)), int(2, 1), text(8, `w${layer}`)])
  if (values.inside) return { about, dataBytes: 4 * sizeOf(layer) }
  let offset = 0
  for (let before = 0; before < layer; before++) offset += 4 * sizeOf(before)
  const entry = (name, content) => message(13, text(1, name), text(2, content))
  const external = [
    entry('location', dataName),
    entry('offset', String(offset)),
    entry('length', String(4 * sizeOf(layer))),
  ]
  return { about: Buffer.concat([about, ...external, int(14, 1)]), dataBytes: 0 }
})
const lengthOfTensor = ({ about, dataBytes }) =>
  about.length + (dataBytes === 0 ? 0 : lengthOf(9, dataBytes).length + dataBytes)
const front = Buffer.concat([...graphNodes, text(2, 'g')])
const back = Buffer.concat([valueInfo(11, 'x', [1, rows]), valueInfo(12, output, [1, width])])
const graphLength =
  front.length +
  back.length +
  headers.reduce((sum, header) => {
    const length = lengthOfTensor(header)
    return sum + lengthOf(5, length).length + length
  }, 0)

const model = openSync(path, 'w')
writeSync(
  model,
  Buffer.concat([int(1, 8), message(8, text(1, ''), int(2, 17)), lengthOf(7, graphLength), front]),
)
for (const [layer, header] of headers.entries()) {
  writeSync(model, Buffer.concat([lengthOf(5, lengthOfTensor(header)), header.about]))
  if (header.dataBytes === 0) continue
  writeSync(model, lengthOf(9, header.dataBytes))
  writeWeights(model, layer, sizeOf(layer))
}
writeSync(model, back)
closeSync(model)
if (!values.inside) {
  const data = openSync(`${path}.data`, 'w')
  for (let layer = 0; layer < layers; layer++) writeWeights(data, layer, sizeOf(layer))
  closeSync(data)
}
const total = statSync(path).size + (values.inside ? 0 : statSync(`${path}.data`).size)
console.log(`${path}: ${graphNodes.length} nodes, ${total} bytes`)
