import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { LipschitzError, named } from '../core/errors.ts'
import type { FloatArray } from '../core/tensor.ts'
import { cannotWrite } from '../core/write-failure.ts'
import { openStoredFile, type StoredFile } from '../onnx/stored-file.ts'
import type { StoredTensor } from '../onnx/stored-tensor.ts'
import { type ByteEdit, payloadEdits } from './byte-edit.ts'
import { encodeElements } from './element-encoding.ts'
import { locationEdits, type NewLocation } from './location-edit.ts'
import { spliceFile } from './splice.ts'

/** A tensor of the file with the elements that it is to have, row-major. */
export interface NewElements {
  readonly tensor: StoredTensor
  readonly values: FloatArray
}

/** What is copied, and where to. */
export interface Copying {
  readonly model: string
  readonly folder: string
  /** Of the copy; data files are named after it. */
  readonly name: string
  /** Where the files will stand in the end: none of them may take the place of what is read. */
  readonly destination: string
}

/**
 * Writes a byte-for-byte copy of a model into a folder, with other elements in some tensors: in their stored type,
 * where the file has them. External data files are copied next to it under new names, which the copy refers to.
 * @returns the names of all files written, data files first
 * @throws LipschitzError output; unsupported where elements do not fit into the place of the old ones
 */
export function writeEditedCopy(
  { model, folder, name, destination }: Copying,
  changes: readonly NewElements[],
): string[] {
  const file = openStoredFile(model)
  const inModel: ByteEdit[] = []
  const inData = new Map<string, ByteEdit[]>()
  for (const change of changes) {
    const { tensor } = change
    named({ tensor: tensor.name }, () => {
      const raw = encodeElements(tensor.type, change.values)
      const { payload, range } = tensor
      if (payload !== null) inModel.push(...payloadEdits(payload, file, raw, raw.length / tensor.size))
      else if (range !== null) {
        const edits = inData.get(range.path) ?? []
        inData.set(range.path, [...edits, { offset: range.offset, removed: range.length, bytes: raw }])
      }
    })
  }
  const moved = new Map<string, NewLocation>()
  const written: string[] = []
  const relocate = (location: string): NewLocation => {
    const path = realpathSync(join(dirname(model), location))
    const known = moved.get(path)
    if (known !== undefined) return known
    const dataName = `${name}.data${moved.size === 0 ? '' : `.${moved.size + 1}`}`
    const target = join(folder, dataName)
    if (isFile(join(destination, dataName), path))
      throw cannotWrite(join(destination, dataName), 'the model has its data there, which are only read')
    spliceFile(openStoredFile(path), ordered(inData.get(path) ?? []), target)
    written.push(dataName)
    const place = { name: dataName, sha1: () => sha1Of(openStoredFile(target)) }
    moved.set(path, place)
    return place
  }
  const names = locationEdits(file, relocate)
  spliceFile(file, ordered([...inModel, ...names]), join(folder, name))
  return [...written, name]
}

/** By offset. @throws LipschitzError unsupported where two tensors have bytes in common, but not all */
function ordered(edits: readonly ByteEdit[]): ByteEdit[] {
  const sorted = edits.toSorted((a, b) => a.offset - b.offset)
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i - 1].offset + sorted[i - 1].removed <= sorted[i].offset) continue
    throw new LipschitzError(
      'unsupported',
      'two tensors that are to be changed have some of their bytes in common',
    )
  }
  return sorted
}

function isFile(candidate: string, path: string): boolean {
  return existsSync(candidate) && realpathSync(candidate) === path
}

function sha1Of(file: StoredFile): string {
  return file.digest('sha1', 0, file.bytes)
}
