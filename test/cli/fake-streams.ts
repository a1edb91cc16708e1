import type { OutputStream, Surroundings } from '../../src/cli/surroundings.ts'

export interface FakeStream extends OutputStream {
  readonly text: () => string
}

export function fakeStream(terminal: { isTTY?: boolean; columns?: number } = {}): FakeStream {
  const written: string[] = []
  return {
    ...terminal,
    write: (text, done) => {
      written.push(text)
      done?.()
      return true
    },
    text: () => written.join(''),
  }
}

export interface FakeSurroundings extends Surroundings {
  readonly stdout: FakeStream
  readonly stderr: FakeStream
}

export function fakeSurroundings(
  environment: Surroundings['environment'] = {},
  terminal: { isTTY?: boolean; columns?: number } = {},
): FakeSurroundings {
  return { environment, directory: process.cwd(), stdout: fakeStream(terminal), stderr: fakeStream(terminal) }
}
