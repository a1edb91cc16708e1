/** Functions: shadowing, recursion, expansion, attributes. */
import {
  type FunctionSpec,
  type ModelSpec,
  node,
  reference,
  subgraph,
  tensor,
} from '../../helpers/onnx-builder.ts'
import { about, type Chapter, limit, malformed, norm1234, plain, row } from '../row.ts'

const body = (
  name: string,
  nodes: FunctionSpec['nodes'],
  more: Partial<FunctionSpec> = {},
): FunctionSpec => ({
  ...{ name, domain: 'own', inputs: ['a'], outputs: ['b'], nodes },
  ...more,
})
const call = (op: string, input = 'a', output = 'b', more = {}) =>
  node(op, [input], [output], {}, { domain: 'own', ...more })
const calling = (
  functions: readonly FunctionSpec[],
  nodes = [call('F', 'x', 'y')],
  more: Partial<ModelSpec> = {},
): ModelSpec => ({
  inputs: plain.inputs,
  outputs: ['y'],
  opsets: { own: 1 },
  functions: functions.map((each) => ({ opsets: { '': 21, own: 1 }, ...each })),
  nodes,
  ...more,
})
const doubled = [node('Add', ['a', 'a'], ['b'])]

/** Shadows an operator of a runtime by a function that does nothing. */
const shadow = (domain: string, name: string, more: Partial<FunctionSpec> = {}): ModelSpec => ({
  ...plain,
  opsets: domain === '' || domain === 'ai.onnx' ? {} : { [domain]: 1 },
  functions: [{ ...body(name, [node('Identity', ['a'], ['b'])]), domain, ...more }],
  nodes: [node('MatMul', ['x', 'w'], ['h']), node(name, ['h'], ['y'], {}, { domain })],
})

const shadows: Chapter = [
  row('a function that is named Relu', shadow('', 'Relu'), malformed(/shadows an operator of ai\.onnx/)),
  row('a function of the other name of the standard', shadow('ai.onnx', 'Exp'), malformed(/shadows/)),
  row(
    'a function of com.microsoft',
    shadow('com.microsoft', 'Gelu'),
    malformed(/shadows an operator of com\.microsoft/),
  ),
  row('a function of ai.onnx.ml', shadow('ai.onnx.ml', 'Scaler'), malformed(/shadows/)),
  row('a function that is named by an overload', shadow('', 'Relu', { overload: 'o' }), malformed(/shadows/)),
  row('a function of a name that the standard does not have', shadow('', 'NotYet'), malformed(/shadows/)),
  row(
    'a function of the runtime for convolutions',
    shadow('com.microsoft.nchwc', 'Conv'),
    malformed(/shadows/),
  ),
  row(
    'a function of the preview of the standard',
    shadow('ai.onnx.preview', 'FlexAttention'),
    malformed(/shadows/),
  ),
  row(
    'a function of the runtime for training',
    shadow('ai.onnx.preview.training', 'Adam'),
    malformed(/shadows/),
  ),
]

/** f0 calls f1 twice, f1 calls f2 twice, and so on. */
const chain = (depth: number, times: number) =>
  Array.from({ length: depth }, (_, i) => {
    const op = `F${i + 1}`
    const values = ['a', ...Array.from({ length: times - 1 }, (_unused, k) => `t${k}`), 'b']
    const nodes =
      i + 1 === depth
        ? [node('Identity', ['a'], ['b'])]
        : Array.from({ length: times }, (_unused, k) => call(op, values[k], values[k + 1]))
    return body(i === 0 ? 'F' : `F${i}`, nodes)
  })

const inside = (nodes: FunctionSpec['nodes']) =>
  node('If', ['c'], ['b'], {
    then_branch: subgraph({ outputs: ['t'], nodes }),
    else_branch: subgraph({ outputs: ['e'], nodes: [node('Identity', ['a'], ['e'])] }),
  })

const calls: Chapter = [
  row('a function', calling([body('F', doubled)]), { bound: about(2) }),
  row('a function that calls itself', calling([body('F', [call('F')])]), malformed(/calls itself/)),
  row(
    'a function that calls itself and is not called',
    calling([body('F', doubled), body('G', [call('G')])]),
    malformed(/calls itself/),
  ),
  row(
    'two functions that call one another',
    calling([body('F', [call('G')]), body('G', [call('F')])]),
    malformed(/calls itself/),
  ),
  row(
    'a function that calls itself in a body',
    calling([
      body('F', [
        node('Constant', [], ['c'], { value: tensor([], [1], 'bool') }),
        inside([call('F', 'a', 't')]),
      ]),
    ]),
    malformed(/calls itself/),
  ),
  row('functions 100 deep', calling(chain(100, 1)), { bound: about(1) }),
  row('functions 101 deep', calling(chain(101, 1)), limit(/functionDepth/)),
  row('functions 5,000 deep', calling(chain(5000, 1)), limit(/functionDepth/)),
  row('30 functions that each call the next ten times', calling(chain(30, 10)), limit(/inlinedNodes/)),
  row('64 functions that each call the next twice', calling(chain(64, 2)), limit(/inlinedNodes/)),
  row(
    '13 functions that each call the next twice',
    calling(chain(13, 2)),
    { bound: about(1) },
    { isHeavy: true },
  ),
  row(
    'two functions of one name',
    calling([body('F', doubled), body('F', [node('Identity', ['a'], ['b'])])]),
    malformed(/two functions/),
  ),
  row(
    'two functions of one name and other overloads',
    calling([body('F', doubled), body('F', [node('Identity', ['a'], ['b'])], { overload: 'o' })]),
    { bound: about(2) },
  ),
  row(
    'a function without a name',
    calling([body('', doubled)], [node('Identity', ['x'], ['y'])]),
    malformed(/no name/),
  ),
  row(
    'a function of no domain that is not called',
    { ...plain, functions: [body('F', doubled, { domain: '' })] },
    malformed(/shadows/),
  ),
  row(
    'too many inputs',
    calling([body('F', doubled)], [node('F', ['x', 'x'], ['y'], {}, { domain: 'own' })]),
    malformed(/too many inputs/),
  ),
  row(
    'too many outputs',
    calling([body('F', doubled)], [node('F', ['x'], ['y', 'z'], {}, { domain: 'own' })]),
    malformed(/too many/),
  ),
  row(
    'two inputs of one name',
    calling([body('F', doubled, { inputs: ['a', 'a'] })]),
    malformed(/two inputs/),
  ),
  row(
    'two outputs of one name',
    calling([body('F', doubled, { outputs: ['b', 'b'] })]),
    malformed(/two outputs/),
  ),
  row(
    'a function that writes its input',
    calling([body('F', [node('Relu', ['a'], ['a']), node('Identity', ['a'], ['b'])])]),
    malformed(/'a'/),
  ),
  row(
    'a function that looks at the graph around it',
    calling([body('F', [node('MatMul', ['a', 'w'], ['b'])])], [call('F', 'x', 'y')], {
      initializers: plain.initializers,
    }),
    malformed(/'w' is read and nothing writes it/),
  ),
  row(
    'a function that writes no output',
    calling([body('F', [node('Relu', ['a'], ['c'])])]),
    malformed(/writes its output 'b'/),
  ),
  row(
    'a function with a cycle',
    calling([body('F', [node('Add', ['a', 'c'], ['b']), node('Relu', ['b'], ['c'])])]),
    malformed(/cycle/),
  ),
  row('a function that is its input', calling([body('F', [], { outputs: ['a'] })]), { bound: about(1) }),
  row(
    'a function with two versions of a domain',
    calling([body('F', doubled, { opsets: { '': 21, 'ai.onnx': 20, own: 1 } })]),
    malformed(/twice/),
  ),
  row(
    'a function that needs an input which the call omits',
    calling(
      [body('F', [node('Add', ['a', 'z'], ['b'])], { inputs: ['z', 'a'] })],
      [node('F', ['', 'x'], ['y'], {}, { domain: 'own' })],
    ),
    { refused: 'malformed', says: /Add/ },
  ),
]

const scaled = (attributes: Parameters<typeof node>[3]) => [node('LeakyRelu', ['a'], ['b'], attributes)]
const attributes: Chapter = [
  row(
    'a reference in the main graph',
    { ...plain, nodes: [node('LeakyRelu', ['x'], ['y'], { alpha: reference('alpha', 1) })] },
    malformed(/outside of functions/),
  ),
  row(
    'a reference to nothing',
    calling([body('F', scaled({ alpha: reference('slope', 1) }))]),
    malformed(/not given/),
  ),
  row(
    'a reference without a default',
    calling([body('F', scaled({ alpha: reference('slope', 1) }), { attributes: ['slope'] })]),
    malformed(/not given/),
  ),
  row(
    'a reference with a default',
    calling([body('F', scaled({ alpha: reference('slope', 1) }), { defaults: { slope: 3.5 } })]),
    { bound: about(3.5) },
  ),
  row(
    'a reference that the call overrules',
    calling(
      [body('F', scaled({ alpha: reference('slope', 1) }), { defaults: { slope: 3.5 } })],
      [node('F', ['x'], ['y'], { slope: 4.5 }, { domain: 'own' })],
    ),
    { bound: about(4.5) },
  ),
  row(
    'a reference of another type',
    calling([body('F', scaled({ alpha: reference('slope', 2) }), { defaults: { slope: 3.5 } })]),
    malformed(/type|must be/),
  ),
  row(
    'a reference to a value of another type',
    calling([body('F', scaled({ alpha: reference('slope', 1) }), { defaults: { slope: 3 } })]),
    malformed(/type|must be a float/),
  ),
]

export const functions: Chapter = [
  ...shadows,
  ...calls,
  ...attributes,
  row(
    'a function that nothing calls',
    { ...plain, opsets: { own: 1 }, functions: [body('F', doubled)] },
    { bound: about(norm1234) },
  ),
]
