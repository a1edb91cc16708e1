import { type ErrorFacts, LipschitzError } from '../core/errors.ts'
import { toolName } from '../core/version.ts'
import { escapeText } from '../report/escape.ts'
import { cutMiddle } from '../report/text.ts'

const MESSAGE_MOST = 1000

/** 'what (model, node …, tensor …): what to do', on one line, escaped. */
export function describeFailure(message: string, facts: ErrorFacts): string {
  const places = [
    facts.model !== undefined && !message.includes(facts.model) ? facts.model : null,
    facts.node !== undefined && !message.includes(facts.node) ? `node ${facts.node}` : null,
    facts.tensor !== undefined && !message.includes(facts.tensor) ? `tensor ${facts.tensor}` : null,
  ].filter((place) => place !== null)
  const place = places.length === 0 ? '' : ` (${places.join(', ')})`
  const hint = facts.hint === undefined ? '' : `: ${facts.hint}`
  return `${toolName}: ${cutMiddle(escapeText(message + place + hint), MESSAGE_MOST)}`
}

/** One line for an error that is thrown; its stack, or that of its cause, below it in debug mode. */
export function describeError(error: unknown, debug: boolean): string {
  const line =
    error instanceof LipschitzError
      ? describeFailure(error.message, error.facts)
      : describeFailure(`internal error: ${error instanceof Error ? error.message : String(error)}`, {
          hint: debug ? 'please report it' : 'please report it; --debug shows where it happened',
        })
  if (!debug || !(error instanceof Error)) return line
  const { cause } = error
  const stacks = [error.stack, cause instanceof Error ? `caused by ${cause.stack}` : undefined]
  return [line, ...stacks.filter((stack) => stack !== undefined)].join('\n')
}
