/** What V8 and Node.js throw where an array cannot be had. */
export function isOutOfMemory(error: unknown): boolean {
  return (
    error instanceof RangeError &&
    /allocation failed|Invalid typed array length|Array buffer/i.test(error.message)
  )
}

/** Runs a step that can be done without; null, and the news to `tell`, where it needs more memory than there is. */
export function unlessOutOfMemory<Result>(step: () => Result, tell: () => void): Result | null {
  try {
    return step()
  } catch (error) {
    if (!isOutOfMemory(error)) throw error
    tell()
    return null
  }
}
