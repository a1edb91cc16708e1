import { type Profiler, Session } from 'node:inspector'

/** What code has run since it was asked last. */
export interface Coverage {
  /** How many blocks of the product's own code ran that had not run before, or far oftener than before. */
  news(): number
  /** Blocks seen so far. */
  total(): number
  end(): void
}

/** Where the code under test stands, in the names that V8 gives to scripts. */
const own = /\/src\/(core|onnx|graph|infer|ops)\//

/**
 * Block coverage by V8's own counters, in this process. A block is news when its count reaches another power of two,
 * as in AFL: then a loop that runs a hundred times is told from one that runs twice.
 */
export function watchCoverage(): Coverage {
  const session = new Session()
  session.connect()
  // calls of a session are answered before they return
  const post = <Result>(method: string, params: object = {}): Result | undefined => {
    let answer: Result | undefined
    session.post(method, params, (_error: Error | null, result?: object) => {
      answer = result as Result
    })
    return answer
  }
  post('Profiler.enable')
  post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  const seen = new Set<string>()
  return {
    news() {
      const taken = post<Profiler.TakePreciseCoverageReturnType>('Profiler.takePreciseCoverage')
      const before = seen.size
      for (const { url, scriptId, functions } of taken?.result ?? []) {
        if (!own.test(url)) continue
        for (const { ranges } of functions)
          for (const { startOffset, endOffset, count } of ranges)
            if (count > 0) seen.add(`${scriptId}:${startOffset}:${endOffset}:${Math.floor(Math.log2(count))}`)
      }
      return seen.size - before
    },
    total: () => seen.size,
    end() {
      post('Profiler.stopPreciseCoverage')
      session.disconnect()
    },
  }
}
