import { parentPort, workerData } from 'node:worker_threads'
import { LipschitzError } from '../core/errors.ts'
import { limitArena } from '../linalg/arena.ts'
import { take, type WorkerReply, type WorkerStart } from './crew.ts'
import type { LayerTask } from './layer-task.ts'
import type { LayerMeasurement } from './measurement.ts'
import { runTask } from './task.ts'
import { runTogether, serveTeam } from './team.ts'

const { member, jobs, order, tasks, taken, holding, cache, memory } = workerData as WorkerStart

limitArena(memory)

for (const { index, job } of jobs) {
  if (member === 0) report(index, (task) => runTogether(task, job, { cache, memory }))
  else serveTeam(job, member, memory)
}
for (const [place, index] of order.entries()) {
  if (take(taken, place)) report(index, (task) => runTask(task, { cache, memory }))
}

/** Says what became of a task. Anything but an error for users ends this thread with the task at hand. */
function report(index: number, run: (task: LayerTask) => LayerMeasurement | null): void {
  Atomics.store(holding, member, index + 1)
  const reply = replyTo(index, run)
  if (reply !== null) parentPort?.postMessage(reply)
  Atomics.store(holding, member, 0)
}

function replyTo(index: number, run: (task: LayerTask) => LayerMeasurement | null): WorkerReply | null {
  try {
    const measurement = run(tasks[index] as LayerTask)
    return measurement === null ? null : { index, measurement }
  } catch (error) {
    if (!(error instanceof LipschitzError)) throw error
    const { code, message, facts } = error
    return { index, error: { code, message, facts } }
  }
}
