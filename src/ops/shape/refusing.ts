/** What shape helpers need of an inference or folding context. */
export interface Refusing {
  fail(message: string): never
}
