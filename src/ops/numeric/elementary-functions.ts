import { roundHalfEven } from '../fold/element.ts'
import type { Operator } from '../operator.ts'
import { elementary } from './elementary.ts'
import { erf } from './special-functions.ts'

/** Functions of one number without parameters, as mathematics knows them. */
export const elementaryFunctions: readonly Operator[] = [
  elementary('Abs', () => Math.abs),
  elementary('Neg', () => (x) => -x),
  elementary('Sign', () => Math.sign),
  elementary('Floor', () => Math.floor),
  elementary('Ceil', () => Math.ceil),
  elementary('Round', () => roundHalfEven),
  elementary('Reciprocal', () => (x) => 1 / x),
  elementary('Sqrt', () => Math.sqrt),
  elementary('Exp', () => Math.exp),
  elementary('Log', () => Math.log),
  elementary('Erf', () => erf),
  elementary('Sin', () => Math.sin),
  elementary('Cos', () => Math.cos),
  elementary('Tan', () => Math.tan),
  elementary('Asin', () => Math.asin),
  elementary('Acos', () => Math.acos),
  elementary('Atan', () => Math.atan),
  elementary('Sinh', () => Math.sinh),
  elementary('Cosh', () => Math.cosh),
  elementary('Tanh', () => Math.tanh),
  elementary('Asinh', () => Math.asinh),
  elementary('Acosh', () => Math.acosh),
  elementary('Atanh', () => Math.atanh),
]
