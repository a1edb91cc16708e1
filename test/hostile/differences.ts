/**
 * Where an audit and ONNX Runtime do not agree on a file of the corpus, row by row, and why. Whatever is not named
 * here both refuse or both accept, and what is accepted stretches by no more than its bound when it runs.
 */

/** Why files are refused that ONNX Runtime loads. */
export const strictness = {
  'said twice': 'Said twice, or in two places: one reader takes the first, another the last, a third both.',
  'no UTF-8':
    'Names that are not UTF-8, or end early: readers replace or cut what they cannot read, and two names become one.',
  shadowed:
    'A function with the name of an operator of the standard or of the runtime: one reader runs the function, another the operator.',
  'false declaration':
    'The file says of a value what is not so. ONNX Runtime corrects it; another reader believes it.',
  'no meaning':
    'The specification gives it no meaning, or forbids it; what ONNX Runtime makes of it is its own.',
  contained: 'External data that is contained more strictly, or does not fit what the file says of it.',
  limited: 'A limit that `--limit` raises.',
  'fails later': 'ONNX Runtime makes a session of it, which fails when it runs.',
} as const

export type Strictness = keyof typeof strictness

/** Rows that are refused although ONNX Runtime makes a session of them. */
export const stricter: Readonly<Record<Strictness, readonly string[]>> = {
  'said twice': [
    'two versions of the format',
    'an attribute with an integer twice',
    'an attribute with two types',
    'an operator with two names',
    'a dimension with a size and a name',
    'a tensor with raw data twice',
    'raw data and floats',
    'floats and doubles',
    'sparse indices twice',
    'a sparse weight and another of its name',
    'two initializers of one name',
    'a constant of the name of an initializer',
    'two outputs of one name',
    'two versions of a domain',
    'two versions of a domain, the other way',
    'the same version twice',
    'the two names of the standard',
    'a function that is named by an overload',
    'two functions of one name',
    'a function with two versions of a domain',
    'a value that is declared twice',
    'a body that hides a name',
    'elements here and there',
    'a constant of two values',
  ],
  'no UTF-8': [
    'names that differ in invalid UTF-8 alone',
    'an overlong slash in a name',
    'a surrogate in a name',
    'a code point above 10FFFF in a name',
    'half of a character in a name',
    'invalid UTF-8 in a domain',
    'a NUL',
  ],
  shadowed: [
    'a function that is named Relu',
    'a function of the other name of the standard',
    'a function of com.microsoft',
    'a function of the preview of the standard',
    'a function of the runtime for training',
  ],
  'false declaration': [
    'a reference of another type',
    'an output that is declared smaller',
    'an output that is declared of another rank',
    'a value that is declared smaller',
    'an initializer that is declared larger',
    'an input of dim -2',
  ],
  'no meaning': [
    'a group',
    'a segment',
    'a location that is not known',
    'a packed byte above 255',
    'an int8 of 300',
    'sparse indices out of order',
    'sparse indices of int32',
    'an input without a name',
    'imports of another domain alone',
    'version 0 of the format',
    'version -1 of the format',
    'a function without a name',
    'a function of no domain that is not called',
    'a reference in the main graph',
    'a reference to nothing',
    'a reference without a default',
    'no outputs',
    'an attribute of __proto__',
    'Softmax along an axis of -2^63',
    'a variance below zero',
    'a variance that epsilon cancels',
    'a variance and an epsilon of zero',
    'an epsilon below zero',
    'Gemm that is transposed less than once',
  ],
  contained: [
    'a parent folder that leads back',
    'a further hard link',
    'external data that is switched off',
    'the rest of a file that is too long',
    'a wrong checksum',
    'an escape in a tensor that nothing reads',
  ],
  limited: ['10,001 functions', 'functions 101 deep', 'a dim of 2^63 - 1', '1,000 dims of an input'],
  'fails later': [
    'an input that is smaller than the kernel',
    'Gemm with a bias of the wrong length',
    'Conv of no groups',
    'Conv of -1 groups',
    'Conv of 2^40 groups',
    'Conv of groups that do not divide',
    'Conv whose kernel_shape is not that of its kernel',
    'Conv of a kernel above its input',
    'Conv of no channels',
    'Reshape to another size',
    'Transpose of too few axes',
    'Split into sizes below zero',
    'Gather beyond the end',
    'Pad of a width below the size',
    'Einsum with an output that is not there',
    'Einsum of nothing',
    'Einsum with an output twice',
    'Einsum of 10,000 dots',
    'LSTM of another size',
    'LSTM of recurrent weights of another shape',
    'LSTM in two directions with weights for one',
    'quantisation by scales of the wrong number',
    'quantisation along an axis that is not there',
    'ConstantOfShape of 2^62 by 2^62',
    'Range of step 0',
    'Range of a step of 1e-30',
  ],
}

/** Rows that are given a bound although ONNX Runtime refuses them, and why that is right. */
export const laxer: Readonly<Record<string, string>> = {
  'weights of float4':
    'ONNX Runtime has no kernel that casts this element type; its values are those of the specification',
  'version 99 of the format':
    'a later version of the format is read with a note: operators are versioned apart from it',
  'version 2^62 of the format': 'as version 99',
  'a function that is its input': 'ONNX Runtime inlines no function without nodes; what it computes is plain',
  'a pooling of padding above its kernel':
    'ONNX Runtime forbids windows of nothing but padding; the bound counts them',
  'LSTM with a clip below zero':
    'ONNX Runtime forbids the number; gates clip whatever they are given, and the bound holds for any',
}

/** Rows that end ONNX Runtime, or keep it busy for minutes; nobody asks it. */
export const unasked: readonly string[] = [
  'a sparse weight of 2^30 elements',
  'functions 5,000 deep',
  '30 functions that each call the next ten times',
  '64 functions that each call the next twice',
  'a body whose input has a stored value',
]
