/** Names: taken twice, missing, and such that mean something to a language, a terminal or a format. */
import { node, tensor } from '../../helpers/onnx-builder.ts'
import { about, type Chapter, malformed, norm1234, plain, row } from '../row.ts'

const relu = (input: string, output: string) => node('Relu', [input], [output])
const w = tensor([2, 2], [1, 2, 3, 4])

const twice: Chapter = [
  row(
    'two initializers of one name',
    {
      ...plain,
      initializers: {},
      more: {
        initializer: [
          { ...w, name: 'w' },
          { ...tensor([2, 2], [1000, 0, 0, 1000]), name: 'w' },
        ],
      },
    },
    malformed(/'w' is written as initializer and elsewhere/),
  ),
  row(
    'a node that writes an initializer',
    { ...plain, nodes: [relu('x', 'w'), node('MatMul', ['x', 'w'], ['y'])] },
    malformed(/'w'/),
  ),
  row(
    'a constant of the name of an initializer',
    {
      ...plain,
      nodes: [node('Constant', [], ['w'], { value: tensor([2, 2], [9, 9, 9, 9]) }), ...(plain.nodes ?? [])],
    },
    malformed(/'w'/),
  ),
  row(
    'two nodes that write one name',
    { ...plain, nodes: [relu('x', 'y'), ...(plain.nodes ?? [])] },
    malformed(/two nodes write 'y'/),
  ),
  row(
    'a node that writes a name twice',
    { ...plain, nodes: [node('Split', ['x'], ['y', 'y'], { axis: 1, num_outputs: 2 })] },
    malformed(/two nodes write 'y'/),
  ),
  row(
    'a node that writes an input',
    { ...plain, nodes: [relu('x', 'x'), ...(plain.nodes ?? [])] },
    malformed(/'x'/),
  ),
  row(
    'two inputs of one name',
    { ...plain, more: { input: [{ name: 'x' }, { name: 'x' }] } },
    malformed(/two inputs are named 'x'/),
  ),
  row(
    'two outputs of one name',
    { ...plain, more: { output: [{ name: 'y' }, { name: 'y' }] } },
    malformed(/two outputs are named 'y'/),
  ),
  row('an input without a name', { ...plain, inputs: { x: [1, 2], '': [1, 2] } }, malformed(/no name/)),
  row('an output without a name', { ...plain, outputs: [''] }, malformed(/''/)),
  row(
    'a node without an operator',
    { ...plain, nodes: [...(plain.nodes ?? []), node('', ['x'], ['z'])] },
    malformed(/no operator/),
  ),
  row(
    'an input that nothing writes',
    { ...plain, nodes: [node('MatMul', ['x', 'v'], ['y'])] },
    malformed(/'v' is read and nothing writes it/),
  ),
  row(
    'an output that nothing writes',
    { ...plain, outputs: ['z'] },
    malformed(/'z' is read and nothing writes it/),
  ),
  row(
    'an operator with blanks around it',
    { ...plain, nodes: [node(' MatMul', ['x', 'w'], ['y'])] },
    { unbounded: /MatMul/ },
  ),
  row(
    'an operator in small letters',
    { ...plain, nodes: [node('matmul', ['x', 'w'], ['y'])] },
    { unbounded: /matmul/ },
  ),
  row(
    'names that look alike',
    { ...plain, initializers: { w, ｗ: tensor([2, 2], [1000, 0, 0, 1000]) } },
    { bound: about(norm1234) },
  ),
  row(
    'names that are one after normalisation',
    {
      ...plain,
      initializers: { '\u00e9': w, 'e\u0301': tensor([2, 2], [1000, 0, 0, 1000]) },
      nodes: [node('MatMul', ['x', '\u00e9'], ['y'])],
    },
    { bound: about(norm1234) },
  ),
]

const strange: Readonly<Record<string, string>> = {
  __proto__: '__proto__',
  constructor: 'constructor',
  hasOwnProperty: 'hasOwnProperty',
  toString: 'toString',
  'a megabyte': 'n'.repeat(2 ** 20),
  NUL: 'a\0b',
  'an escape sequence': '\x1b[2J\x1b]0;owned\x07',
  'a C1 control': '\u009b31m',
  'bidirectional controls': '\u202egnp.exe\u2066',
  'line ends': 'a\nlipschitz: all is well\r\n',
  'a script': '</script><script>alert(1)</script>',
  'a formula': '=cmd|"/c calc"!A1',
  'a workflow command': '::error file=x::owned\n::set-output name=a::b',
  'a table cell': 'a | b ` @everyone <img src=x onerror=alert(1)>',
  'a path': '../../../etc/passwd',
  'the separators of Unicode': 'a\u2028b\u2029c\ufeff\u200b',
  'half of an emoji pair': '\ud83d\ude00',
  'percent signs': '%s%n%x%00',
  'a number': '0',
  blanks: '   ',
}

/** The name for everything in the graph: weight, node, output, input. */
const everywhere = (name: string) => ({
  name,
  inputs: { x: [1, 2] },
  outputs: [`${name}y`],
  initializers: { [`${name}w`]: w },
  nodes: [node('MatMul', ['x', `${name}w`], [`${name}y`], {}, { name })],
  moreModel: { producerName: name },
})

export const names: Chapter = [
  ...twice,
  ...Object.entries(strange).map(([what, name]) =>
    row(`${what} as a name`, everywhere(name), { bound: about(norm1234) }),
  ),
  ...Object.entries(strange).map(([what, name]) =>
    row(
      `${what} as the name of what is missing`,
      { ...plain, nodes: [node('MatMul', ['x', name], ['y'], {}, { name })] },
      malformed(/nothing writes it/),
    ),
  ),
  ...Object.entries(strange).map(([what, name]) =>
    row(`${what} as an operator`, { ...plain, nodes: [node(name, ['x', 'w'], ['y'])] }, { unbounded: /./ }),
  ),
  ...Object.entries(strange).map(([what, name]) =>
    row(
      `${what} as a domain`,
      { ...plain, opsets: { [name]: 1 }, nodes: [node('MatMul', ['x', 'w'], ['y'], {}, { domain: name })] },
      { unbounded: /./ },
    ),
  ),
]
