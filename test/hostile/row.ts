/**
 * The corpus of malformed and adversarial models. A row says what is in the files, and what an audit must make of
 * them: refuse them with an error of one line, name the place behind which there is no certificate, or prove a bound.
 * Everything is made by code; nothing is stored.
 */
import type { ErrorCode } from '../../src/core/errors.ts'
import { type Message, type ModelSpec, model, node, tensor } from '../helpers/onnx-builder.ts'

export type Bytes = Uint8Array

/** Something beside the model: content, a link, a further name of the model's folder, a pipe, a folder, a file with holes. */
export type Beside =
  | Bytes
  | { readonly link: string }
  | { readonly hardLink: string }
  | { readonly size: number; readonly at: readonly (readonly [offset: number, content: Bytes])[] }
  | 'pipe'
  | 'folder'

export type Outcome =
  /** Exit code 2, and an error of that code whose one line matches. */
  | { readonly refused: ErrorCode; readonly says: RegExp }
  /** Exit code 0, no bound, and a refusal whose reason matches. */
  | { readonly unbounded: RegExp }
  /** Exit code 0 and a bound within these numbers. */
  | { readonly bound: readonly [number, number] }
  /** Exit code 0, and a bound beyond what a number can hold, by its decimal logarithm, cut off behind one digit. */
  | { readonly exponent: number }
  /** Any of these. */
  | { readonly oneOf: readonly Outcome[] }
  /** Exit code 0, whatever is found. */
  | 'audited'
  /** Exit code 0 and a finding of that rule, whatever the bound. */
  | { readonly finding: string; readonly bound?: readonly [number, number] }

export interface Row {
  readonly name: string
  readonly bytes: () => Bytes
  /** Files beside the model, by path relative to its folder. */
  readonly beside?: Readonly<Record<string, Beside>>
  readonly args?: readonly string[]
  readonly outcome: Outcome
  /** Run from outside, in a process of its own: what it costs is part of the row. */
  readonly isHeavy?: true
}

/** A chapter of the corpus: rows by what they are about. */
export type Chapter = readonly Row[]

/** Norm of [[1, 2], [3, 4]]. */
export const norm1234 = 5.464985704219043

/** y = x·w for a 2×2 matrix: what rows change one thing of. */
export const plain: ModelSpec = {
  inputs: { x: [1, 2] },
  outputs: ['y'],
  initializers: { w: tensor([2, 2], [1, 2, 3, 4]) },
  nodes: [node('MatMul', ['x', 'w'], ['y'])],
}

export const about = (value: number): readonly [number, number] => [value * (1 - 1e-9), value * 1.01]

export function row(name: string, spec: ModelSpec, outcome: Outcome, more: Partial<Row> = {}): Row {
  return { name, bytes: () => model(spec), outcome, ...more }
}

export function raw(name: string, bytes: () => Bytes, outcome: Outcome, more: Partial<Row> = {}): Row {
  return { name, bytes, outcome, ...more }
}

export const malformed = (says: RegExp): Outcome => ({ refused: 'malformed', says })
export const limit = (says: RegExp): Outcome => ({ refused: 'limit', says })
export const shape = (says: RegExp): Outcome => ({ refused: 'shape', says })
export const unsafe = (says: RegExp): Outcome => ({ refused: 'unsafe', says })

/** One node from x[1, 2] (or other inputs) to y, with constants. */
export function oneNode(
  op: string,
  constants: Readonly<Record<string, Message | readonly number[]>> = {},
  attributes: Parameters<typeof node>[3] = {},
  more: Partial<ModelSpec> = {},
): ModelSpec {
  return {
    inputs: { x: [1, 2] },
    outputs: ['y'],
    initializers: constants,
    nodes: [node(op, ['x', ...Object.keys(constants)], ['y'], attributes)],
    ...more,
  }
}
