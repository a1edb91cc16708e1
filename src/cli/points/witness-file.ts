import type { StoredWitness } from '../../audit/probe/probe-result.ts'
import { renderValue } from '../../report/json.ts'
import { toNested } from './nested.ts'
import { encodeNpz } from './npz.ts'

/** The pair as a file: JSON with nested lists, or, where the path ends in .npz, the arrays `x.<input>` and `y.<input>`. */
export function encodeWitness(path: string, witness: StoredWitness): Uint8Array | string {
  const arrays = (side: 'x' | 'y') =>
    witness.inputs.map((input) => ({ ...input, array: { dims: input.dims, data: input[side] } }))
  if (path.endsWith('.npz')) {
    const entries = (['x', 'y'] as const).flatMap((side) =>
      arrays(side).map(({ name, array }) => [`${side}.${name}`, array] as const),
    )
    return encodeNpz(new Map(entries))
  }
  const side = (of: 'x' | 'y') =>
    Object.fromEntries(arrays(of).map(({ name, array }) => [name, toNested(array)]))
  const { model, norm, value } = witness
  return renderValue({ model, norm, value, x: side('x'), y: side('y') })
}
