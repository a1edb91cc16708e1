import { relative, resolve } from 'node:path'
import { type AnyDeclaration, auditOptions, type OptionName, type Source } from '../options.ts'
import { isStandardOutput } from '../readers.ts'
import type { OptionValue, OptionValues } from './schema.ts'

/** Where a file's paths are relative to, and what a run calls them. */
export interface Places {
  readonly folder: string
  readonly directory: string
}

/** A path in the file, as seen from the working directory. */
function toPath(text: string, { folder, directory }: Places): string {
  return isStandardOutput(text) ? text : relative(directory, resolve(folder, text)) || '.'
}

type ByInput = Extract<OptionValue, Readonly<Record<string, unknown>>>

function isByInput(value: OptionValue): value is ByInput {
  return typeof value === 'object' && !Array.isArray(value)
}

/** Texts as on the command line: shapes and ranges by input become name=1,3,?, limits name=n. */
function toTexts(name: OptionName, value: OptionValue, places: Places): string[] {
  const { kind, isPath }: AnyDeclaration = auditOptions[name]
  if (isByInput(value)) {
    return Object.entries(value).map(
      ([key, parts]) =>
        `${key}=${[parts]
          .flat()
          .map((part) => part ?? '?')
          .join(',')}`,
    )
  }
  const texts = (Array.isArray(value) ? value : [value]).map(String)
  if (!isPath) return texts
  return kind === 'list'
    ? texts.map((text) => text.replace(/(?<=^[^:]*:).+$/s, (path) => toPath(path, places)))
    : texts.map((text) => toPath(text, places))
}

/** Settings of a file, or of a block of it; `place` says where they stand. */
export function configSource(values: OptionValues, place: string, places: Places): Source {
  return {
    label: (name) => `${name} in ${place}`,
    texts: (name) => {
      const value = values[name]
      return value === undefined ? undefined : toTexts(name, value, places)
    },
  }
}
