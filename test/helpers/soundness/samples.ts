import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Decoded, decode } from '../conformance.ts'
import { readTensor } from '../node-cases.ts'
import type { Sample } from './soundness.ts'

/** The inputs of the first data set that lies beside a model, as the standard's own tests have it, by name. */
export function samplesBeside(path: string): Map<string, Sample> {
  const folder = join(dirname(path), 'test_data_set_0')
  if (!existsSync(folder)) return new Map()
  const { graph } = decode('ModelProto', readFileSync(path))
  const stored = new Set(graph.initializer.map((tensor: Decoded) => tensor.name))
  const fed = graph.input.filter((input: Decoded) => !stored.has(input.name) || graph.input.length > 1)
  const samples = new Map<string, Sample>()
  fed.forEach((input: Decoded, i: number) => {
    const file = join(folder, `input_${i}.pb`)
    if (input.type?.value !== 'tensorType' || !existsSync(file)) return
    const tensor = readTensor(decode('TensorProto', readFileSync(file)))
    if (tensor !== null && !stored.has(input.name)) samples.set(input.name, tensor)
  })
  return samples
}
