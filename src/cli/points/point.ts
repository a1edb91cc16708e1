import { readFileSync } from 'node:fs'
import { LipschitzError } from '../../core/errors.ts'
import { type Shape, sizeOf } from '../../core/tensor.ts'
import { decodeCsv } from './csv.ts'
import { fromNested } from './nested.ts'
import { decodeNpy, type NumberArray } from './npy.ts'

/** An input of the model for which a point has a value. */
export interface PointInput {
  readonly name: string
  readonly shape: Shape | null
}

/** A point of the network's domain: elements of inputs by name, in the inputs' shapes. */
export type Point = ReadonlyMap<string, NumberArray>

/**
 * Reads the point that an option names: `zeros`; a `.npy` file with the one audited input; a `.csv` file with its elements,
 * row after row; a `.json` file with nested lists for it, or an object that gives inputs by their names. Inputs that an object leaves out are not in the result.
 * Throws `unreadable` for what is no such file, `usage` for names and shapes that the model does not have.
 */
export function readPoint(
  text: string,
  audited: readonly PointInput[],
  others: readonly PointInput[] = [],
): Point {
  if (text === 'zeros') return new Map(audited.map((input) => [input.name, zerosFor(input)]))
  const arrays = readArrays(text)
  if (!(arrays instanceof Map)) {
    const [input, second] = audited
    if (input === undefined || second !== undefined) {
      const names = audited.map(({ name }) => `'${name}'`).join(', ')
      const hint = `give a JSON object with a list for each of ${names || 'the inputs'}, or choose one with --input`
      throw new LipschitzError('usage', `${text} holds one array, ${audited.length} inputs may change`, {
        hint,
      })
    }
    return new Map([[input.name, fitted(text, arrays, input)]])
  }
  const point = new Map<string, NumberArray>()
  for (const [name, array] of arrays) {
    const input = [...audited, ...others].find((candidate) => candidate.name === name)
    if (input === undefined) {
      const known = [...audited, ...others].map((candidate) => `'${candidate.name}'`).join(', ')
      throw new LipschitzError('usage', `${text} names the input '${name}', which the model does not have`, {
        hint: `it has ${known || 'none'}`,
      })
    }
    point.set(name, fitted(text, array, input))
  }
  const missing = audited.find(({ name }) => !point.has(name))
  if (missing !== undefined)
    throw new LipschitzError('usage', `${text} has no elements for the input '${missing.name}'`)
  return point
}

/**
 * Reads samples of one input: an array whose first axis counts them. An axis of length 1 that the input has in front
 * may be left out. Throws as `readPoint` does.
 */
export function readSamples(path: string, input: PointInput): Float64Array[] {
  const arrays = readArrays(path)
  const array = arrays instanceof Map ? arrays.get(input.name) : arrays
  if (array === undefined)
    throw new LipschitzError('usage', `${path} has no elements for the input '${input.name}'`)
  const [count = 1, ...rest] = array.dims
  if (count === 0 || array.data.length === 0)
    throw new LipschitzError('usage', `${path} holds no sample`, {
      hint: 'its first axis counts the samples',
    })
  const size = rest.reduce((product, dim) => product * dim, 1)
  return Array.from({ length: count }, (_, i) => {
    const data = array.data.subarray(i * size, (i + 1) * size)
    return fitted(path, { dims: rest, data }, input).data
  })
}

function readArrays(path: string): NumberArray | Map<string, NumberArray> {
  try {
    const bytes = readFileSync(path)
    if (path.endsWith('.csv')) return decodeCsv(bytes.toString('utf8'))
    if (!path.endsWith('.json')) return decodeNpy(bytes)
    const content: unknown = JSON.parse(bytes.toString('utf8').replace(/^\ufeff/, ''))
    if (typeof content !== 'object' || content === null || Array.isArray(content)) return fromNested(content)
    return new Map(Object.entries(content).map(([name, value]) => [name, fromNested(value)]))
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    const reason = reasons.get(code) ?? (error instanceof SyntaxError ? 'it is no JSON' : message)
    throw new LipschitzError('unreadable', `${path}: ${reason}`, {
      hint: 'a point is a .npy file, a .json file with nested lists, a .csv file with rows, or the word zeros',
    })
  }
}

const reasons = new Map([
  ['ENOENT', 'no such file'],
  ['EISDIR', 'it is a directory'],
  ['EACCES', 'permission denied'],
  ['ERR_FS_FILE_TOO_LARGE', 'it is larger than any point'],
])

/** The array with the input's dims: they agree but for axes of length 1, which arrays of one sample often lack. */
function fitted(path: string, { dims, data }: NumberArray, { name, shape }: PointInput): NumberArray {
  const bad = data.find((x) => !Number.isFinite(x))
  if (bad !== undefined)
    throw new LipschitzError('usage', `${path} holds ${bad}, which is no point`, { tensor: name })
  if (shape === null) return { dims, data }
  const isLike = (own: Shape, other: readonly number[]) =>
    own.length === other.length && own.every((dim, axis) => dim === null || dim === other[axis])
  if (isLike(shape, dims)) return { dims, data }
  const withoutOnes = (own: Shape) => own.filter((dim) => dim !== 1)
  const isFlat = path.endsWith('.csv')
  if (sizeOf(shape) === data.length && (isFlat || isLike(withoutOnes(shape), withoutOnes(dims) as number[])))
    return { dims: shape as readonly number[], data }
  const wanted = shape.map((dim) => dim ?? '?').join(',')
  throw new LipschitzError('usage', `${path} is of shape [${dims.join(',')}], the input is [${wanted}]`, {
    tensor: name,
  })
}

function zerosFor({ name, shape }: PointInput): NumberArray {
  const size = shape === null ? null : sizeOf(shape)
  if (shape === null || size === null) {
    throw new LipschitzError('usage', `the shape of input '${name}' is not known`, {
      hint: `give it with --input-shape ${name}=…`,
    })
  }
  return { dims: shape as readonly number[], data: new Float64Array(size) }
}
