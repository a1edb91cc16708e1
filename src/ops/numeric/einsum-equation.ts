import type { Refusing } from '../shape/refusing.ts'

/** One term of an equation: its labels in order; `…` stands for the axes that an ellipsis covers. */
export type Labels = readonly string[]

export const ellipsis = '…'

export interface Equation {
  readonly inputs: readonly Labels[]
  readonly output: Labels
}

const longestEquation = 4096

/**
 * Parses an equation of Einsum such as `bij,jk->bik`, spaces ignored. Without an arrow the output is the ellipsis
 * and then the labels that occur once, in alphabetical order. Fails on any other character.
 */
export function parseEquation(context: Refusing, text: string): Equation {
  if (text.length > longestEquation) context.fail(`an equation of ${text.length} characters`)
  const [left, right, ...more] = text.replaceAll(/\s/g, '').split('->')
  if (more.length > 0) context.fail(`the equation '${text}' has several arrows`)
  const inputs = left.split(',').map((term) => parseTerm(context, term, text))
  if (right !== undefined) {
    const output = parseTerm(context, right, text)
    const known = new Set(inputs.flat())
    const stray = output.find((label) => !known.has(label) && label !== ellipsis)
    if (stray !== undefined) context.fail(`output label ${stray} of '${text}' occurs in no input`)
    if (new Set(output).size !== output.length) context.fail(`an output label of '${text}' is repeated`)
    return { inputs, output }
  }
  return { inputs, output: implicitOutput(inputs) }
}

function parseTerm(context: Refusing, term: string, equation: string): Labels {
  if (!/^[A-Za-z]*(\.\.\.)?[A-Za-z]*$/.test(term)) context.fail(`'${term}' in the equation '${equation}'`)
  return [...term.replace('...', ellipsis)]
}

function implicitOutput(inputs: readonly Labels[]): Labels {
  const counts = new Map<string, number>()
  for (const label of inputs.flat()) counts.set(label, (counts.get(label) ?? 0) + 1)
  const single = [...counts.keys()].filter((label) => label !== ellipsis && counts.get(label) === 1).sort()
  return counts.has(ellipsis) ? [ellipsis, ...single] : single
}
