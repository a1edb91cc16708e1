import type { OperatorSetIdProto } from '../onnx/generated/onnx.d.ts'
import { malformed } from './malformed.ts'

/** The newest version of each domain of the standard whose operators the declarations are written for. */
export const newestOpsets: ReadonlyMap<string, number> = new Map([
  ['', 28],
  ['ai.onnx.ml', 5],
])

/** The newest version of the file format whose fields are all read. */
export const newestIrVersion = 14

/** Operators of such a domain are the runtime's own: it ignores a function that a file defines there. */
export function isRuntimeDomain(domain: string): boolean {
  return domain === '' || /^(ai\.onnx|com\.microsoft|com\.ms\.internal)(\.|$)/.test(domain)
}

/** The domain of the standard goes by two names that mean one. */
export function canonicalDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain
}

/** The name of a domain in messages. */
export function displayDomain(domain: string): string {
  return domain === '' ? 'ai.onnx' : domain
}

/**
 * The version of each imported domain. Runtimes disagree on which of two imports of a domain holds, so two are
 * malformed; so is a version below 1. `where` names the model or function in messages.
 */
export function resolveOpsets(imports: readonly OperatorSetIdProto[], where: string): Map<string, number> {
  const opsets = new Map<string, number>()
  for (const { domain, version } of imports) {
    const key = canonicalDomain(domain)
    if (opsets.has(key)) throw malformed(`${where} imports operators of ${displayDomain(key)} twice`)
    if (!(version >= 1)) throw malformed(`${where} imports version ${version} of ${displayDomain(key)}`)
    opsets.set(key, version)
  }
  return opsets
}
