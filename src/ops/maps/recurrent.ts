import {
  floatAttribute,
  floatsAttribute,
  intAttribute,
  stringAttribute,
  stringsAttribute,
} from '../../graph/attribute.ts'
import type { Algebra, SecantsOf, Variable } from '../algebra.ts'
import type { Calculus } from '../calculus.ts'
import { sigmoid, softplus } from '../numeric/special-functions.ts'
import { interval } from '../rules/interval.ts'
import {
  type Definition,
  type DefinitionContext,
  defined,
  multiplied,
  subtracted,
  summed,
} from './definition.ts'
import * as secants from './secants.ts'

/** An activation of a gate with its parameters. */
type Activation = (algebra: Algebra, x: Variable) => Variable

type Rule = (
  alpha: number,
  beta: number,
) => {
  readonly f: (x: number) => number
  readonly slope: (x: number, result: number) => number
  readonly secants: SecantsOf
}

/** Activations of the standard, by names in small letters, with the defaults of alpha and beta. */
const rules: Readonly<
  Record<string, { readonly alpha: number; readonly beta: number; readonly rule: Rule }>
> = {
  sigmoid: {
    alpha: 0,
    beta: 0,
    rule: () => ({ f: sigmoid, slope: (_, y) => y * (1 - y), secants: secants.logistic }),
  },
  tanh: {
    alpha: 0,
    beta: 0,
    rule: () => ({ f: Math.tanh, slope: (_, y) => 1 - y * y, secants: secants.tanh }),
  },
  relu: {
    alpha: 0,
    beta: 0,
    rule: () => ({
      f: (x) => Math.max(x, 0),
      slope: (x) => (x > 0 ? 1 : 0),
      secants: secants.leakySlopes(0),
    }),
  },
  affine: {
    alpha: 1,
    beta: 0,
    rule: (a, b) => ({ f: (x) => a * x + b, slope: () => a, secants: secants.constantSlope(a) }),
  },
  leakyrelu: {
    alpha: 0.01,
    beta: 0,
    rule: (a) => ({
      f: (x) => (x < 0 ? a * x : x),
      slope: (x) => (x < 0 ? a : 1),
      secants: secants.leakySlopes(a),
    }),
  },
  scaledtanh: {
    alpha: 1,
    beta: 1,
    rule: (a, b) => ({
      f: (x) => a * Math.tanh(b * x),
      slope: (x) => a * b * (1 - Math.tanh(b * x) ** 2),
      secants: secants.stretched(secants.tanh, a, b),
    }),
  },
  hardsigmoid: {
    alpha: 0.2,
    beta: 0.5,
    rule: (a, b) => ({
      f: (x) => Math.min(Math.max(a * x + b, 0), 1),
      slope: (x) => (a * x + b > 0 && a * x + b < 1 ? a : 0),
      secants: () => interval(Math.min(a, 0), Math.max(a, 0)),
    }),
  },
  elu: {
    alpha: 1,
    beta: 0,
    rule: (a) => ({
      f: (x) => (x < 0 ? a * Math.expm1(x) : x),
      slope: (x) => (x < 0 ? a * Math.exp(x) : 1),
      secants: () => interval(Math.min(0, a, 1), Math.max(0, a, 1)),
    }),
  },
  softsign: {
    alpha: 0,
    beta: 0,
    rule: () => ({
      f: (x) => x / (1 + Math.abs(x)),
      slope: (x) => 1 / (1 + Math.abs(x)) ** 2,
      secants: secants.softsign,
    }),
  },
  softplus: { alpha: 0, beta: 0, rule: () => ({ f: softplus, slope: sigmoid, secants: secants.softplus }) },
}

/** The activations of all directions, one after the other; null where one is not known. */
function activationsOf(
  { node }: DefinitionContext,
  standard: readonly string[],
  directions: number,
): Activation[] | null {
  const given = stringsAttribute(node, 'activations', [])
  const names = given.length > 0 ? given : Array.from({ length: directions }, () => standard).flat()
  if (names.length !== standard.length * directions) return null
  const [alphas, betas] = ['activation_alpha', 'activation_beta'].map((name) =>
    floatsAttribute(node, name, []),
  )
  const limit = floatAttribute(node, 'clip', Infinity)
  const found = names.map((name, i): Activation | null => {
    const known = rules[name.toLowerCase()]
    if (known === undefined) return null
    const { f, slope, secants } = known.rule(alphas[i] ?? known.alpha, betas[i] ?? known.beta)
    return (algebra, x) => algebra.map(clipped(algebra, x, limit), f, slope, secants)
  })
  return found.some((activation) => activation === null) ? null : (found as Activation[])
}

function clipped(algebra: Algebra, x: Variable, limit: number): Variable {
  if (limit === Infinity) return x
  return algebra.map(
    x,
    (value) => Math.min(Math.max(value, -limit), limit),
    (value) => (Math.abs(value) < limit ? 1 : 0),
    secants.clippedSlopes(-limit, limit),
  )
}

/** What a cell computes with: gates' inputs are [batch, hidden]. */
interface CellRun {
  readonly algebra: Algebra
  readonly hidden: number
  /** W·x + b for all gates, [batch, gates·hidden]. */
  readonly projected: Variable
  /** R·h + b for the gates with places `from` to `to`, [batch, …]. */
  recur(h: Variable, from: number, to: number): Variable
  /** Gate `place` of a projection. */
  gate(x: Variable, place: number): Variable
  /** Peephole weights of gate `place`, [hidden]; null where there are none. */
  peephole(place: number): Variable | null
  readonly f: readonly Activation[]
  readonly linearBeforeReset: boolean
  readonly coupled: boolean
}

interface State {
  readonly h: Variable
  readonly c: Variable
}

type Cell = (run: CellRun, state: State) => State

const add = (algebra: Algebra, a: Variable, b: Variable) => algebra.zip(a, b, summed)
const times = (algebra: Algebra, a: Variable, b: Variable) => algebra.zip(a, b, multiplied)

const rnn: Cell = ({ algebra, projected, recur, f }, { h, c }) => ({
  h: f[0](algebra, add(algebra, projected, recur(h, 0, 1))),
  c,
})

/** Gates z, r and the candidate; h = (1 − z)∘candidate + z∘h′. */
const gru: Cell = ({ algebra, projected, recur, gate, f, linearBeforeReset }, { h, c }) => {
  const gates = recur(h, 0, 2)
  const z = f[0](algebra, add(algebra, gate(projected, 0), gate(gates, 0)))
  const r = f[0](algebra, add(algebra, gate(projected, 1), gate(gates, 1)))
  const recurred = linearBeforeReset ? times(algebra, r, recur(h, 2, 3)) : recur(times(algebra, r, h), 2, 3)
  const candidate = f[1](algebra, add(algebra, gate(projected, 2), recurred))
  const kept = times(algebra, z, algebra.zip(h, candidate, subtracted))
  return { h: add(algebra, candidate, kept), c }
}

/** Gates i, o, f and the candidate; c = f∘c′ + i∘candidate, h = o∘tanh(c). */
const lstm: Cell = ({ algebra, projected, recur, gate, peephole, f, coupled }, { h, c }) => {
  const gates = add(algebra, projected, recur(h, 0, 4))
  const watched = (place: number, state: Variable, peep: number) => {
    const weights = peephole(peep)
    const own = gate(gates, place)
    return weights === null ? own : add(algebra, own, times(algebra, state, weights))
  }
  const input = f[0](algebra, watched(0, c, 0))
  const forget = coupled
    ? algebra.map(
        input,
        (value) => 1 - value,
        () => -1,
        secants.constantSlope(-1),
      )
    : f[0](algebra, watched(2, c, 2))
  const candidate = f[1](algebra, gate(gates, 3))
  const cell = add(algebra, times(algebra, forget, c), times(algebra, input, candidate))
  const output = f[0](algebra, watched(1, cell, 1))
  return { h: times(algebra, output, f[2](algebra, cell)), c: cell }
}

interface Kind {
  readonly gates: number
  readonly activations: readonly string[]
  readonly cell: Cell
}

/** Inputs X, W, R, B, lengths, h₀, c₀, P in the layout of the standard, step by step through time. */
function recurrence({ gates, activations, cell }: Kind): Definition {
  return (context) => {
    const { algebra, node } = context
    const [given, w, r, bias, lengths, h0, c0, peepholes] = context.variables
    if (!given || !w || !r) return null
    const batchFirst = intAttribute(node, 'layout', 0) === 1
    const x = batchFirst ? algebra.transpose(given, [1, 0, 2]) : given
    const [time, batch, features] = x.dims
    const [directions, , hidden] = r.dims
    if (lengths && !lengths.data.every((length) => length === time)) return null
    const found = activationsOf(context, activations, directions)
    if (found === null) return null
    const reversed = stringAttribute(node, 'direction', 'forward') === 'reverse'

    const initial = (state: Variable | null | undefined, direction: number) => {
      if (!state) return algebra.constant([batch, hidden], new Float64Array(batch * hidden))
      const ordered = batchFirst ? algebra.transpose(state, [1, 0, 2]) : state
      return algebra.reshape(algebra.slice(ordered, 0, direction, direction + 1), [batch, hidden])
    }
    const runs = Array.from({ length: directions }, (_, direction) => {
      const own = (whole: Variable, dims: readonly number[]) =>
        algebra.reshape(algebra.slice(whole, 0, direction, direction + 1), dims)
      const [weights, recurrent] = [own(w, [gates * hidden, features]), own(r, [gates * hidden, hidden])]
      const shifts = bias ? own(bias, [2 * gates * hidden]) : null
      const peeps = peepholes ? own(peepholes, [3 * hidden]) : null
      const [wShift, rShift] = [0, 1].map((i) =>
        shifts === null ? null : algebra.slice(shifts, 0, i * gates * hidden, (i + 1) * gates * hidden),
      )
      const recur = (h: Variable, from: number, to: number) => {
        const part =
          from === 0 && to === gates ? recurrent : algebra.slice(recurrent, 0, from * hidden, to * hidden)
        const product = algebra.product(h, 'bh', part, 'gh', 'bg')
        return rShift === null
          ? product
          : add(algebra, product, algebra.slice(rShift, 0, from * hidden, to * hidden))
      }
      const f = found.slice(direction * activations.length, (direction + 1) * activations.length)
      const backward = reversed || direction === 1
      let state: State = { h: initial(h0, direction), c: initial(c0, direction) }
      const steps = new Array<Variable>(time)
      for (let step = 0; step < time; step++) {
        const at = backward ? time - 1 - step : step
        const now = algebra.reshape(algebra.slice(x, 0, at, at + 1), [batch, features])
        const product = algebra.product(now, 'bf', weights, 'gf', 'bg')
        const projected = wShift === null ? product : add(algebra, product, wShift)
        const gate = (all: Variable, place: number) =>
          algebra.slice(all, 1, place * hidden, (place + 1) * hidden)
        const peephole = (place: number) =>
          peeps === null ? null : algebra.slice(peeps, 0, place * hidden, (place + 1) * hidden)
        state = cell(
          {
            algebra,
            hidden,
            projected,
            recur,
            gate,
            peephole,
            f,
            linearBeforeReset: intAttribute(node, 'linear_before_reset', 0) !== 0,
            coupled: intAttribute(node, 'input_forget', 0) !== 0,
          },
          state,
        )
        steps[at] = state.h
      }
      return { steps, state }
    })

    const stack = (parts: readonly Variable[], axis: number, dims: readonly number[]) =>
      algebra.concat(
        parts.map((part) => algebra.reshape(part, dims)),
        axis,
      )
    const all = stack(
      Array.from({ length: time }, (_, at) =>
        stack(
          runs.map(({ steps }) => steps[at]),
          0,
          [1, batch, hidden],
        ),
      ),
      0,
      [1, directions, batch, hidden],
    )
    const last = (of: (state: State) => Variable) => {
      const states = stack(
        runs.map(({ state }) => of(state)),
        0,
        [1, batch, hidden],
      )
      return batchFirst ? algebra.transpose(states, [1, 0, 2]) : states
    }
    return [batchFirst ? algebra.transpose(all, [2, 0, 1, 3]) : all, last(({ h }) => h), last(({ c }) => c)]
  }
}

export const recurrentCalculus: Readonly<Record<string, Calculus>> = {
  RNN: defined(recurrence({ gates: 1, activations: ['tanh'], cell: rnn })),
  GRU: defined(recurrence({ gates: 3, activations: ['sigmoid', 'tanh'], cell: gru })),
  LSTM: defined(recurrence({ gates: 4, activations: ['sigmoid', 'tanh', 'tanh'], cell: lstm })),
}
