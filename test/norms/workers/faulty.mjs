// A worker that keeps to the protocol of src/norms/crew.ts but fails as its tasks say: once, or whenever it has them.
import { existsSync, writeFileSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'

const { member, order, tasks, taken, holding } = workerData

const faults = {
  throw() {
    throw new TypeError('no such thing')
  },
  exit() {
    process.exit(7)
  },
  memory() {
    throw Object.assign(new Error('heap'), { code: 'ERR_WORKER_OUT_OF_MEMORY' })
  },
  heap() {
    const kept = []
    for (;;) kept.push(new Array(1e6).fill(kept.length + 0.5))
  },
  hang() {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  },
}

for (const [place, index] of order.entries()) {
  if (Atomics.exchange(taken, place, 1) !== 0) continue
  const { fault, mark, answer } = tasks[index]
  Atomics.store(holding, member, index + 1)
  if (fault === 'limit' && !existsSync(mark)) {
    writeFileSync(mark, '')
    parentPort.postMessage({ index, error: { code: 'limit', message: 'no memory', facts: {} } })
  } else {
    const isFirst = fault !== undefined && !existsSync(mark)
    if (isFirst && !fault.startsWith('always ')) writeFileSync(mark, '')
    if (isFirst) faults[fault.replace('always ', '')]()
    parentPort.postMessage({ index, measurement: { frobenius: { weight: answer, operator: null } } })
  }
  Atomics.store(holding, member, 0)
}
