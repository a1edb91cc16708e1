import { parentPort, workerData } from 'node:worker_threads'
import { LipschitzError } from '../core/errors.ts'
import { take, type WorkerReply, type WorkerStart } from './pool.ts'
import { runTask } from './task.ts'
import { serveTeam } from './team.ts'

const { member, jobs, tasks, next } = workerData as WorkerStart

for (const job of jobs) serveTeam(job, member)

for (let index = take(next); index < tasks.length; index = take(next)) parentPort?.postMessage(replyTo(index))

function replyTo(index: number): WorkerReply {
  try {
    return { index, measurement: runTask(tasks[index]) }
  } catch (error) {
    if (!(error instanceof LipschitzError)) throw error
    const { code, message, facts } = error
    return { index, error: { code, message, facts } }
  }
}
