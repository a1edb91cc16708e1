import { beyondLimit, type Limits } from '../core/limits.ts'
import type { Dim, ElementType } from '../core/tensor.ts'
import { elementTypeOf } from '../onnx/element-types.ts'
import type { TensorShapeProto, TypeProto, ValueInfoProto } from '../onnx/generated/onnx.d.ts'
import type { Declaration, Value } from './graph.ts'
import { malformed } from './malformed.ts'

export const undeclared: Declaration = { type: null, shape: null, symbols: null, kind: 'tensor' }

const kinds = {
  tensorType: 'tensor',
  sequenceType: 'sequence',
  mapType: 'map',
  opaqueType: 'opaque',
  sparseTensorType: 'sparse',
  optionalType: 'optional',
} as const satisfies Record<NonNullable<TypeProto['value']>, Value['declared']['kind']>

/** What a ValueInfoProto claims. A dimension of −1 counts as unknown, as runtimes take it. */
export function readDeclaration(info: ValueInfoProto, limits: Limits): Declaration {
  const type = info.type
  if (type?.value === undefined) return undeclared
  const tensor = type.tensorType
  if (tensor === null) return { ...undeclared, kind: kinds[type.value] }
  return {
    ...readShape(tensor.shape, info.name, limits),
    type: readElementType(tensor.elemType, info.name),
    kind: 'tensor',
  }
}

function readElementType(code: number, tensor: string): ElementType | null {
  if (code === 0) return null
  const type = elementTypeOf(code)
  if (type === null) throw malformed(`${code} is no element type`, { tensor })
  return type
}

function readShape(
  shape: TensorShapeProto | null,
  tensor: string,
  limits: Limits,
): Pick<Declaration, 'shape' | 'symbols'> {
  if (shape === null) return { shape: null, symbols: null }
  if (shape.dim.length > limits.rank) {
    throw beyondLimit('rank', `it is declared with ${shape.dim.length} dims, more than ${limits.rank}`, {
      tensor,
    })
  }
  const dims: Dim[] = []
  const symbols: (string | null)[] = []
  for (const dim of shape.dim) {
    const size = dim.value === 'dimValue' ? dim.dimValue : null
    if (size !== null && size < -1) throw malformed(`dimension ${size} in a declared shape`, { tensor })
    dims.push(size === -1 ? null : size)
    symbols.push(dim.value === 'dimParam' ? dim.dimParam : null)
  }
  return { shape: dims, symbols }
}

/**
 * Joins what two places claim of one value: the first wins where both claim something. Throws `malformed` where they
 * contradict each other: runtimes believe one or none of them.
 */
export function joinDeclarations(first: Declaration, second: Declaration, tensor: string): Declaration {
  const [a, b] = [first.shape, second.shape]
  const isTypeOther = first.type !== null && second.type !== null && first.type !== second.type
  const isShapeOther =
    a !== null &&
    b !== null &&
    (a.length !== b.length || a.some((dim, axis) => dim !== null && b[axis] !== null && dim !== b[axis]))
  if (isTypeOther || isShapeOther)
    throw malformed(`two declarations of '${tensor}' contradict each other`, { tensor })
  const shaped = first.shape === null ? second : first
  return { ...first, type: first.type ?? second.type, shape: shaped.shape, symbols: shaped.symbols }
}
