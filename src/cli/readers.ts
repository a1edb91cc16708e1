import { LipschitzError } from '../core/errors.ts'
import { type LimitName, largestLimit, limitNames } from '../core/limits.ts'
import type { Dim } from '../core/tensor.ts'
import { type FormatName, formatNames } from '../report/renderer.ts'
import { suggest } from './suggest.ts'

/** Reads the text of one option, or says what was expected. `source` names it: '--top' or 'LIPSCHITZ_TOP'. */
export type Reader<T> = (text: string, source: string) => T

export function usage(message: string, hint?: string): LipschitzError {
  return new LipschitzError('usage', message, hint === undefined ? {} : { hint })
}

function refuse(source: string, text: string, expected: string, hint?: string): never {
  throw usage(`${source} expects ${expected}, not '${text}'`, hint)
}

const DECIMAL = /^\+?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

function readDecimal(text: string): number {
  return DECIMAL.test(text.trim()) ? Number(text) : Number.NaN
}

/** A finite number above 0. */
export const positiveNumber: Reader<number> = (text, source) => {
  const value = readDecimal(text)
  return value > 0 && Number.isFinite(value) ? value : refuse(source, text, 'a finite number above 0')
}

export function numberWithin(above: number, below: number): Reader<number> {
  return (text, source) => {
    const value = readDecimal(text)
    return value > above && value < below
      ? value
      : refuse(source, text, `a number between ${above} and ${below}`)
  }
}

export function wholeNumber(least: number, most: number): Reader<number> {
  return (text, source) => {
    const value = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN
    if (value >= least && value <= most) return value
    const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`
    return refuse(source, text, `a whole number ${range}`)
  }
}

export function oneOf<const T extends string>(choices: readonly T[]): Reader<T> {
  return (text, source) => {
    const found = choices.find((choice) => choice === text)
    if (found !== undefined) return found
    const near = suggest(text, choices)
    return refuse(
      source,
      text,
      `one of ${choices.join(', ')}`,
      near === null ? undefined : `did you mean ${near}?`,
    )
  }
}

export const anyText: Reader<string> = (text, source) => {
  return text === '' ? refuse(source, text, 'a value') : text
}

/** A path, or nothing for 'none at all'. */
export const anyPath: Reader<string> = (text) => text

/** A finite number of at least 0. */
export const percentage: Reader<number> = (text, source) => {
  const value = readDecimal(text.replace(/%$/, ''))
  return value >= 0 && Number.isFinite(value) ? value : refuse(source, text, 'a percentage of at least 0')
}

export const yesOrNo: Reader<boolean> = (text, source) => {
  if (['1', 'true', 'yes', 'on'].includes(text.toLowerCase())) return true
  if (['0', 'false', 'no', 'off', ''].includes(text.toLowerCase())) return false
  return refuse(source, text, '1 or 0')
}

/** One format of the report and the file it goes to; path null: standard output. */
export interface FormatChoice {
  readonly name: FormatName
  readonly path: string | null
}

/** Paths that mean standard output; as a file, /dev/stdout would be cut to nothing first. */
export function isStandardOutput(path: string): boolean {
  return path === '-' || path === '/dev/stdout'
}

/** name or name:path, split at the first colon. */
export const formatChoice: Reader<FormatChoice> = (text, source) => {
  const colon = text.indexOf(':')
  const name = oneOf(formatNames)(colon < 0 ? text : text.slice(0, colon), source)
  const path = colon < 0 ? '-' : text.slice(colon + 1)
  if (path === '') refuse(source, text, 'a path after the colon')
  return { name, path: isStandardOutput(path) ? null : path }
}

export interface InputShape {
  readonly name: string
  readonly dims: readonly Dim[]
}

export interface InputRange {
  /** Null: every input. */
  readonly input: string | null
  readonly lo: number
  readonly hi: number
}

const SIGNED = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/** lo,hi or name=lo,hi. */
export const inputRange: Reader<InputRange> = (text, source) => {
  const equals = text.lastIndexOf('=')
  const expected = '[name=]lo,hi'
  const ends = text.slice(equals + 1).split(',')
  if (equals === 0 || ends.length !== 2 || !ends.every((end) => SIGNED.test(end.trim())))
    refuse(source, text, expected, 'for example 0,1 or image=-1,1')
  const [lo, hi] = ends.map(Number)
  if (!(lo <= hi && Number.isFinite(hi - lo)))
    refuse(source, text, expected, 'two finite numbers, the lower one first')
  return { input: equals < 0 ? null : text.slice(0, equals), lo, hi }
}

/** name=1,3,224,224; '?' for a dimension that stays unknown, nothing behind '=' for a scalar. */
export const inputShape: Reader<InputShape> = (text, source) => {
  const equals = text.lastIndexOf('=')
  const expected = 'name=1,3,224,224'
  if (equals < 1) refuse(source, text, expected, "the input's name comes before '='")
  const listed = text.slice(equals + 1).trim()
  const dims = listed === '' ? [] : listed.split(/[,x×]/)
  return {
    name: text.slice(0, equals),
    dims: dims.map((dim) => {
      const size = dim.trim()
      if (size === '?') return null
      if (!/^\d{1,15}$/.test(size) || Number(size) === 0) {
        refuse(source, text, expected, 'each dimension is a whole number above 0, or ? for unknown')
      }
      return Number(size)
    }),
  }
}

/** A number of bytes: 2000000, 1.5GiB. */
export function byteSize(least: number): Reader<number> {
  return (text, source) => {
    const [, digits = '', unit = ''] = /^([^A-Z]*)([KMG]iB)?$/.exec(text.trim()) ?? []
    const value = Math.floor(readDecimal(digits) * factors[unit])
    if (value >= least && Number.isSafeInteger(value)) return value
    return refuse(source, text, `a size of at least ${least / 2 ** 20}MiB`, 'for example 1.5GiB')
  }
}

/** Which part of the work, of how many: 3/8, from 1. */
export const shardChoice: Reader<{ readonly index: number; readonly count: number }> = (text, source) => {
  const [, first = '', second = ''] = /^(\d{1,6})\/(\d{1,6})$/.exec(text.trim()) ?? []
  const [index, count] = [Number(first), Number(second)]
  if (first !== '' && index >= 1 && index <= count) return { index, count }
  return refuse(source, text, 'i/n', 'for example 1/4: parts count from 1')
}

export interface LimitChoice {
  readonly name: LimitName
  readonly value: number
}

const factors: Readonly<Record<string, number>> = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }

/** name=n, where n is a whole number, also as 2e6 or 4GiB. */
export const limitChoice: Reader<LimitChoice> = (text, source) => {
  const equals = text.indexOf('=')
  const expected = 'name=n'
  if (equals < 1)
    refuse(source, text, expected, 'for example nodes=2e6; lipschitz audit --help lists the names')
  const name = oneOf(limitNames)(text.slice(0, equals), source)
  const [, digits = '', unit = ''] = /^([^A-Z]*)([KMG]iB)?$/.exec(text.slice(equals + 1).trim()) ?? []
  const value = readDecimal(digits) * factors[unit]
  const most = largestLimit(name)
  if (!(Number.isInteger(value) && value >= 1 && value <= most))
    refuse(source, text, expected, `${name} is a whole number from 1 to ${most}`)
  return { name, value }
}
