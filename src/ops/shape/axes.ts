import type { Refusing } from './refusing.ts'

/** An axis in [0, rank); negative axes count from the end. Fails when it is out of range or no integer. */
export function normalizeAxis(context: Refusing, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    return context.fail(`axis ${axis} is out of range for rank ${rank}`)
  }
  return axis < 0 ? axis + rank : axis
}

/** Axes in [0, rank), in the given order; fails on repetition. */
export function normalizeAxes(context: Refusing, axes: readonly number[], rank: number): number[] {
  const normalized = axes.map((axis) => normalizeAxis(context, axis, rank))
  if (new Set(normalized).size !== normalized.length) context.fail(`axes [${axes.join(',')}] repeat an axis`)
  return normalized
}

/** A position in [0, rank] between axes, as `axis` of Flatten means it. */
export function normalizeSplit(context: Refusing, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis > rank) {
    return context.fail(`axis ${axis} is out of range for rank ${rank}`)
  }
  return axis < 0 ? axis + rank : axis
}

export function allAxes(rank: number): number[] {
  return Array.from({ length: rank }, (_, axis) => axis)
}

/** Fails unless `perm` holds each of 0 … rank−1 once. */
export function checkPermutation(context: Refusing, perm: readonly number[], rank: number): void {
  const seen = new Set(perm.filter((axis) => Number.isInteger(axis) && axis >= 0 && axis < rank))
  if (perm.length !== rank || seen.size !== rank) {
    context.fail(`perm [${perm.join(',')}] is no permutation of ${rank} axes`)
  }
}
