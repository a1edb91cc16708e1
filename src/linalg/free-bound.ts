import type { Survey } from './survey.ts'

/** A deterministic upper bound of ‖A‖₂ that a survey of the weights gives. */
export interface FreeBound {
  readonly upper: number
  readonly method: string
}

/** The lesser of the free deterministic bounds. */
export function freeBound(survey: Survey): FreeBound {
  const frobenius = survey.frobenius * (1 + 2 * survey.relativeError)
  return survey.holder <= frobenius
    ? { upper: survey.holder, method: 'holder' }
    : { upper: frobenius, method: 'frobenius' }
}
