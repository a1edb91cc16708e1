import { randomBytes } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, readdirSync, readlinkSync, renameSync, rmSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { cannotWrite, writeFailure } from '../core/write-failure.ts'

/**
 * A hidden folder next to an output, in which files are written under the names that they will have. Nothing stands
 * under an output's own name before all files are complete and audited; then they are renamed into place.
 */
export interface Workshop {
  readonly folder: string
  /** Moves the finished files, by name, into place, in this order, and removes the folder. @throws LipschitzError output */
  publish(names: readonly string[]): void
  /** Removes the folder and all that is in it. */
  discard(): void
}

const open = new Set<Workshop>()

/** Removes what is unfinished: for a program that is interrupted. */
export function discardUnfinished(): void {
  for (const workshop of open) workshop.discard()
}

/** Marks folders of this machine, so that what a killed run has left can be told and removed. */
const machine = hostname()
  .replace(/[^\w.]/g, '_')
  .slice(0, 40)
const pattern = /^\.lipschitz-(.+)-(\d+)-[0-9a-f]{12}$/

/** Opens a workshop for an output. @throws LipschitzError output where its folder cannot be written */
export function openWorkshop(output: string): Workshop {
  const place = dirname(output)
  if (!existsSync(place)) throw cannotWrite(output, 'its folder does not exist')
  removeAbandoned(place)
  const folder = join(place, `.lipschitz-${machine}-${ownId()}-${randomBytes(6).toString('hex')}`)
  attempt(output, () => mkdirSync(folder))
  const workshop: Workshop = {
    folder,
    publish(names) {
      for (const name of names) {
        attempt(join(place, name), () => renameSync(join(folder, name), join(place, name)))
      }
      workshop.discard()
    },
    discard() {
      open.delete(workshop)
      rmSync(folder, { recursive: true, force: true })
    },
  }
  open.add(workshop)
  return workshop
}

/** This process as the system knows it; 0 where that is not told, and abandoned folders are not, either. */
function ownId(): string {
  return existsSync('/proc/self') ? readlinkSync('/proc/self') : '0'
}

/** Removes what runs of this machine have left that were killed; a run that still lives is let alone. */
function removeAbandoned(place: string): void {
  if (!existsSync('/proc/self')) return
  for (const name of namesIn(place)) {
    const found = pattern.exec(name)
    if (found === null || found[1] !== machine || existsSync(`/proc/${found[2]}`)) continue
    const path = join(place, name)
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory())
      rmSync(path, { recursive: true, force: true })
  }
}

function namesIn(place: string): string[] {
  try {
    return readdirSync(place)
  } catch {
    // a folder that may be written but not listed has nothing to tell
    return []
  }
}

function attempt(path: string, step: () => void): void {
  try {
    step()
  } catch (error) {
    throw writeFailure(path, error)
  }
}
