/** Versions of the format and of the operators, and domains. */
import { type ModelSpec, node, tensor } from '../../helpers/onnx-builder.ts'
import { about, type Chapter, malformed, norm1234, plain, row } from '../row.ts'

const imports = (...versions: readonly (readonly [string, number | string])[]): Partial<ModelSpec> => ({
  moreModel: { opsetImport: versions.map(([domain, version]) => ({ domain, version })) },
})
const big = (exponent: number) => String(2n ** BigInt(exponent))
const fromDomain = (domain: string, op = 'MatMul'): ModelSpec => ({
  ...plain,
  nodes: [node(op, ['x', 'w'], ['y'], {}, { domain })],
})

export const versions: Chapter = [
  row('two versions of a domain', { ...plain, ...imports(['', 11], ['', 13]) }, malformed(/twice/)),
  row(
    'two versions of a domain, the other way',
    { ...plain, ...imports(['', 13], ['', 11]) },
    malformed(/twice/),
  ),
  row('the same version twice', { ...plain, ...imports(['', 13], ['', 13]) }, malformed(/twice/)),
  row(
    'the two names of the standard',
    { ...plain, ...imports(['ai.onnx', 11], ['', 13]) },
    malformed(/twice/),
  ),
  row(
    'the other name of the standard',
    { ...plain, ...imports(['ai.onnx', 13]) },
    { bound: about(norm1234) },
  ),
  row(
    'the other name of the standard in nodes',
    { ...fromDomain('ai.onnx'), ...imports(['', 13]) },
    { bound: about(norm1234) },
  ),
  row(
    'the standard in capitals',
    { ...fromDomain('AI.ONNX'), ...imports(['', 13], ['AI.ONNX', 13]) },
    { unbounded: /MatMul/ },
  ),
  row(
    'the standard with a blank',
    { ...fromDomain('ai.onnx '), ...imports(['', 13], ['ai.onnx ', 13]) },
    { unbounded: /MatMul/ },
  ),
  row('no imports', { ...plain, ...imports() }, malformed(/imports no operators/)),
  row(
    'imports of another domain alone',
    { ...plain, ...imports(['ai.onnx.ml', 3]) },
    malformed(/no version of ai\.onnx/),
  ),
  row('version 0', { ...plain, ...imports(['', 0]) }, malformed(/version 0/)),
  row('version -1', { ...plain, ...imports(['', -1]) }, malformed(/version -1/)),
  row('version -2^63', { ...plain, ...imports(['', `-${big(63)}`]) }, malformed(/version -/)),
  row('version 999', { ...plain, ...imports(['', 999]) }, { unbounded: /newer|version 999|not proven/ }),
  row('version 2^40', { ...plain, ...imports(['', big(40)]) }, { finding: 'newer-opset' }),
  row('version 2^63 - 1', { ...plain, ...imports(['', String(2n ** 63n - 1n)]) }, { finding: 'newer-opset' }),
  row('version 1 of the standard', { ...plain, ...imports(['', 1]) }, { bound: about(norm1234) }),
  row('version 0 of the format', { ...plain, irVersion: 0 }, malformed(/version 0 of the format/)),
  row('version -1 of the format', { ...plain, irVersion: -1 }, malformed(/version -1 of the format/)),
  row('no version of the format', { ...plain, moreModel: { irVersion: undefined } }, malformed(/version/)),
  row('version 99 of the format', { ...plain, irVersion: 99 }, { finding: 'newer-format' }),
  row(
    'version 2^62 of the format',
    { ...plain, moreModel: { irVersion: big(62) } },
    { finding: 'newer-format' },
  ),
  row(
    'an operator that is not of its version',
    { ...plain, opset: 7, nodes: [node('Gelu', ['x'], ['y'])] },
    { unbounded: /Gelu/ },
  ),
  row(
    'an operator that was taken away',
    { ...plain, opset: 13, initializers: { s: [1, 1] }, nodes: [node('Upsample', ['x', 's'], ['y'])] },
    { unbounded: /Upsample/ },
  ),
  row(
    'Scatter after its end',
    {
      ...plain,
      opset: 13,
      initializers: { i: tensor([1, 1], [0], 'int64'), u: tensor([1, 1], [5]) },
      nodes: [node('Scatter', ['x', 'i', 'u'], ['y'])],
    },
    { unbounded: /Scatter/ },
  ),
  row(
    'a domain that nobody knows',
    { ...fromDomain('org.example', 'Anything'), opsets: { 'org.example': 1 } },
    { unbounded: /Anything/ },
  ),
  row('a domain that is not imported', fromDomain('org.example', 'Anything'), { unbounded: /Anything/ }),
  row(
    'an identity of a domain that nobody knows',
    { ...plain, nodes: [node('Identity', ['x'], ['y'], {}, { domain: 'org.example' })] },
    { unbounded: /Identity/ },
  ),
  row(
    'EPContext on the way',
    { ...fromDomain('com.microsoft', 'EPContext'), opsets: { 'com.microsoft': 1 } },
    { unbounded: /EPContext/ },
  ),
  row(
    'Snpe on the way',
    { ...fromDomain('com.microsoft', 'Snpe'), opsets: { 'com.microsoft': 1 } },
    { unbounded: /Snpe/ },
  ),
]
