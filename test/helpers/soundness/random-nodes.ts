import { activations } from './random-activations.ts'
import { compositions } from './random-compositions.ts'
import type { Maker } from './random-graph.ts'
import { moves } from './random-moves.ts'
import { normalizations } from './random-normalizations.ts'
import { broadcastable } from './random-parts.ts'
import { products } from './random-products.ts'
import { samplings } from './random-samplings.ts'
import { windows } from './random-windows.ts'

const binary =
  (op: string): Maker =>
  (draft, x) => {
    const center = op === 'Div' ? draft.pick([2, -3]) : 0
    const c = draft.numbers(broadcastable(draft, x.shape), 1, center)
    const pair = op !== 'Div' && draft.chance(0.5) ? [c, x.name] : [x.name, c]
    return { name: draft.add(op, pair), bounded: x.bounded }
  }

const join =
  (op: string): Maker =>
  (draft, x) => {
    const other = draft.other()
    return {
      name: draft.add(op, draft.chance(0.5) ? [x.name, other.name] : [other.name, x.name]),
      bounded: x.bounded && other.bounded,
    }
  }

/** By what they are called in a description; several are patterns of more than one node. */
export const makers: Readonly<Record<string, Maker>> = {
  Add: binary('Add'),
  Sub: binary('Sub'),
  Mul: binary('Mul'),
  Div: binary('Div'),
  MaxConstant: binary('Max'),
  MinConstant: binary('Min'),
  AddJoin: join('Add'),
  SubJoin: join('Sub'),
  MaxJoin: join('Max'),
  MinJoin: join('Min'),
  MeanJoin: join('Mean'),
  SumJoin: join('Sum'),
  MulJoin: (draft, x) => (x.bounded ? join('Mul')(draft, x) : null),
  Square: (draft, x) => ({ name: draft.add('Mul', [x.name, x.name]), bounded: x.bounded }),
  Gate: (draft, x) => ({
    name: draft.add('Mul', [x.name, draft.add(draft.pick(['Sigmoid', 'HardSigmoid']), [x.name])]),
  }),
  Ratio: (draft, x) => {
    const gate = draft.add('Sigmoid', [draft.other().name])
    return { name: draft.add('Div', [x.name, draft.add('Add', [gate, draft.numbers([1], 0, 0.5)])]) }
  },
  Listed: (draft, x) => ({ name: draft.add('Mul', [x.name, draft.numbers(x.shape)]) }),
  ...windows,
  ...moves,
  ...products,
  ...normalizations,
  ...activations,
  ...compositions,
  ...samplings,
}
