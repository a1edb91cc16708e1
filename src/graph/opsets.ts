/** The newest version of each domain of the standard whose operators the declarations are written for. */
export const newestOpsets: ReadonlyMap<string, number> = new Map([
  ['', 28],
  ['ai.onnx.ml', 5],
])

/** The newest version of the file format whose fields are all read. */
export const newestIrVersion = 14

/** The domain of the standard goes by two names that mean one. */
export function canonicalDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain
}

/** The name of a domain in messages. */
export function displayDomain(domain: string): string {
  return domain === '' ? 'ai.onnx' : domain
}
