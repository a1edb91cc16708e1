import type { Value } from '../../graph/graph.ts'

/** The value that this one is, behind a few nodes that pass it on. */
export function sourceOf(value: Value): Value {
  let source = value
  for (let step = 0; step < 16; step++) {
    if (source.producer?.op !== 'Identity' || source.producer.domain !== '') break
    const [input] = source.producer.inputs
    if (input === null) break
    source = input
  }
  return source
}
