import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { toolVersion } from '../core/version.ts'
import { isMeasurement } from './check-measurement.ts'
import type { LayerTask } from './layer-task.ts'
import type { LayerMeasurement } from './measurement.ts'

/** Changes with what an entry holds or what its key says. */
const FORMAT = 1

/** What runs keep of finished measurements for one another. */
export interface MeasurementCache {
  /** The measurement of the task for weights with this checksum; null where there is none, or none that is whole. */
  recall(task: LayerTask, sha256: string): LayerMeasurement | null
  keep(task: LayerTask, measurement: LayerMeasurement): void
}

/** Keeps nothing. */
export const noCache: MeasurementCache = { recall: () => null, keep: () => {} }

/**
 * A folder with one file per measurement. The key is all that a measurement depends on: the weights' bytes and element
 * type, the geometry, what was asked for, and the version of the program. An entry states its key and a checksum, so
 * one that is damaged, cut short or somebody else's is no entry, and is written anew. Files appear whole or not at all,
 * and runs at the same time write the same: they need not know of one another. What cannot be written is not kept.
 */
export function openCache(folder: string): MeasurementCache {
  return {
    recall(task, sha256) {
      const key = keyOf(task, sha256)
      try {
        return decode(readFileSync(placeOf(folder, key), 'utf8'), key)
      } catch {
        return null
      }
    },
    keep(task, measurement) {
      if (measurement.unfinished !== undefined || !isPlain(measurement)) return
      const key = keyOf(task, measurement.weightSha256)
      try {
        write(placeOf(folder, key), encode(key, measurement))
      } catch {
        // the next run measures it again
      }
    },
  }
}

function keyOf({ source, isQuick: _, ...asked }: LayerTask, sha256: string): string {
  const type = source.kind === 'stored' ? source.type : 'folded'
  return JSON.stringify([FORMAT, toolVersion, sha256, type, asked])
}

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex')

function placeOf(folder: string, key: string): string {
  const name = hashOf(key)
  return join(folder, name.slice(0, 2), `${name.slice(2)}.json`)
}

/** Whether JSON gives back what it is given: it has no NaN and no infinities. */
function isPlain(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  return typeof value !== 'object' || value === null || Object.values(value).every(isPlain)
}

function encode(key: string, measurement: LayerMeasurement): string {
  const entry = JSON.stringify({ key, measurement })
  return `${JSON.stringify({ check: hashOf(entry), entry })}\n`
}

function decode(text: string, key: string): LayerMeasurement | null {
  const { check, entry } = JSON.parse(text)
  if (typeof entry !== 'string' || check !== hashOf(entry)) return null
  const content = JSON.parse(entry)
  return content.key === key && isMeasurement(content.measurement) ? content.measurement : null
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  const unfinished = `${path}.${randomBytes(6).toString('hex')}`
  try {
    writeFileSync(unfinished, text, { flag: 'wx' })
    renameSync(unfinished, path)
  } finally {
    rmSync(unfinished, { force: true })
  }
}
