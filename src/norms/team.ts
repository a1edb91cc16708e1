import { allocate, scoped, singlesAt } from '../linalg/arena.ts'
import { slabMultiplier } from '../linalg/dense-map.ts'
import { type ProductTeam, slabBounds } from '../linalg/slabs.ts'
import { blockWithin, streamedMultiplier } from '../linalg/streamed.ts'
import type { LayerTask } from './layer-task.ts'
import type { LayerMeasurement } from './measurement.ts'
import { NARROW_BLOCK, narrowBytes, placeNarrow } from './narrow.ts'
import { type StoredSource, type WeightReader, withReader } from './source.ts'
import { MATRIX_BYTES, runTask, type TaskOptions } from './task.ts'

/**
 * One large matrix, multiplied by several threads at once. Each helper reads its slabs of rows into its own arena;
 * then, for every step, the leader writes both vectors to shared memory and raises `step`, the helpers write their
 * products and count themselves in `ready`. Everybody sleeps while there is nothing to do.
 */
export interface TeamJob {
  readonly source: StoredSource
  readonly rows: number
  readonly columns: number
  /** Threads, the leader included; the leader is member 0. */
  readonly members: number
  /** step, ready, failed. */
  readonly signals: Int32Array<SharedArrayBuffer>
  /** Both vectors, then both products of each slab. */
  readonly vectors: Float64Array<SharedArrayBuffer>
}

const [STEP, READY, FAILED] = [0, 1, 2]
/** The step after the last one. */
const OVER = -1

/** A member of the team is gone: the matrix has to be measured without it. */
class TeamFailure extends Error {}

export function createTeamJob(source: StoredSource, rows: number, columns: number, members: number): TeamJob {
  const slabs = slabBounds(rows, columns).length - 1
  const bytes = (2 + 2 * slabs) * columns * 8
  return {
    source,
    rows,
    columns,
    members: Math.min(members, slabs),
    signals: new Int32Array(new SharedArrayBuffer(12)),
    vectors: new Float64Array(new SharedArrayBuffer(bytes)),
  }
}

function ownerOf(slab: number, slabs: number, members: number): number {
  return Math.floor((slab * members) / slabs)
}

function vectorAt({ vectors, columns }: TeamJob, index: number): Float64Array {
  return vectors.subarray(index * columns, (index + 1) * columns)
}

/** The leader's side of the team. */
export function leadTeam(job: TeamJob): ProductTeam {
  const { rows, columns, members, signals } = job
  const slabs = slabBounds(rows, columns).length - 1

  function awaitHelpers(): void {
    for (;;) {
      // in this order: a failure raises READY, too, after it has said so
      const ready = Atomics.load(signals, READY)
      if (Atomics.load(signals, FAILED) !== 0) throw new TeamFailure('a thread has failed')
      if (ready >= members - 1) return
      Atomics.wait(signals, READY, ready)
    }
  }

  return {
    begin(v, u) {
      vectorAt(job, 0).set(v)
      vectorAt(job, 1).set(u)
      Atomics.store(signals, READY, 0)
      Atomics.add(signals, STEP, 1)
      Atomics.notify(signals, STEP)
    },
    owns: (slab) => ownerOf(slab, slabs, members) === 0,
    products(slab) {
      awaitHelpers()
      return { z: vectorAt(job, 2 + 2 * slab), y: vectorAt(job, 3 + 2 * slab) }
    },
  }
}

/** Lets the helpers go. */
export function dismissTeam({ signals }: TeamJob): void {
  Atomics.store(signals, STEP, OVER)
  Atomics.notify(signals, STEP)
}

/** Tells the leader that a helper is gone: whoever waits for it wakes up at once. */
export function failTeam({ signals }: TeamJob): void {
  Atomics.store(signals, FAILED, 1)
  // not a number that a leader may be waiting at
  Atomics.add(signals, READY, 1)
  Atomics.notify(signals, READY)
}

/** Measures a matrix at the head of a team; null where a member has failed: then somebody else has to measure it. */
export function runTogether(task: LayerTask, job: TeamJob, options: TaskOptions): LayerMeasurement | null {
  try {
    return runTask(task, { ...options, team: leadTeam(job) })
  } catch (error) {
    if (error instanceof TeamFailure) return null
    throw error
  } finally {
    dismissTeam(job)
  }
}

/** A helper's side: serves products until the team is dismissed. */
export function serveTeam(job: TeamJob, member: number, memory = MATRIX_BYTES): void {
  if (member >= job.members) return
  try {
    scoped(() => serve(job, member, memory))
  } catch (error) {
    failTeam(job)
    throw error
  }
}

function serve(job: TeamJob, member: number, memory: number): void {
  const { source, rows, columns, members, signals } = job
  const bounds = slabBounds(rows, columns)
  const slabs = bounds.length - 1
  const own = Array.from({ length: slabs }, (_, slab) => slab).filter(
    (slab) => ownerOf(slab, slabs, members) === member,
  )
  withReader(source, (reader) => {
    const first = bounds[own[0]]
    const multiply = multiplierFor(job, reader, first, bounds[own[own.length - 1] + 1], memory)
    let step = 0
    for (;;) {
      Atomics.wait(signals, STEP, step)
      step = Atomics.load(signals, STEP)
      if (step === OVER) return
      for (const slab of own) {
        const { z, y } = multiply(bounds[slab], bounds[slab + 1], vectorAt(job, 0), vectorAt(job, 1))
        vectorAt(job, 2 + 2 * slab).set(z)
        vectorAt(job, 3 + 2 * slab).set(y)
      }
      Atomics.add(signals, READY, 1)
      Atomics.notify(signals, READY)
    }
  })
}

/** Products with rows between `first` and `end`: kept in the arena where they fit, else read for each step. */
function multiplierFor(
  { source, rows, columns }: TeamJob,
  reader: WeightReader,
  first: number,
  end: number,
  memory: number,
): ReturnType<typeof streamedMultiplier> {
  const count = (end - first) * columns
  if ((narrowBytes(source, count) ?? Infinity) <= memory) {
    const { read } = placeNarrow(source, first * columns, count)
    return streamedMultiplier({ rows, columns, single: true, read, blockBytes: NARROW_BLOCK })
  }
  if (count * 4 > memory)
    return streamedMultiplier({
      rows,
      columns,
      single: true,
      read: reader.read,
      blockBytes: blockWithin(memory),
    })
  const pointer = allocate(count * 4)
  reader.read(first * columns, singlesAt(pointer, count))
  const multiply = slabMultiplier(columns, true)
  return (from, to, v, u) => multiply(pointer + (from - first) * columns * 4, to - from, v, u)
}
