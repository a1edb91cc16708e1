import * as z from 'zod'
import { limitNames } from '../../core/limits.ts'
import { type AnyDeclaration, auditOptions, type OptionName } from '../options.ts'
import { configSchemaUrl } from './schema-url.ts'

/** The configuration file. Import the types with `import type`; the value is loaded where there is such a file. */

const names = (Object.keys(auditOptions) as OptionName[]).filter((name) => {
  return !(auditOptions[name] as AnyDeclaration).isForOneRun
})

const numbers = { number: () => z.number(), integer: () => z.int() } as const

/** Shapes and ranges may be written as an object by input: { "x": [1, 3, null] }. */
const byInput = z.record(z.string(), z.array(z.number().nullable()))

/** Limits may be: { "nodes": 2000000 }. */
const byLimit = z.partialRecord(z.enum(limitNames), z.int().min(1))

function oneValue({ json, choices, isPath }: AnyDeclaration) {
  if (json !== undefined) return numbers[json]()
  return choices === undefined || isPath ? z.string() : z.enum(choices as [string, ...string[]])
}

function schemaOf(name: OptionName): z.ZodType {
  const declaration: AnyDeclaration = auditOptions[name]
  if (declaration.kind === 'switch' || declaration.kind === 'negated') return z.boolean()
  const one = oneValue(declaration)
  if (declaration.kind === 'value') return one
  const many = [one, z.array(one)] as const
  if (name === 'limit') return z.union([...many, byLimit])
  return name === 'inputShape' || name === 'inputRange' ? z.union([...many, byInput]) : z.union(many)
}

function optionKeys(chosen: readonly OptionName[]): Record<string, z.ZodType> {
  return Object.fromEntries(
    chosen.map((name) => [name, schemaOf(name).optional().meta({ description: auditOptions[name].text })]),
  )
}

const Globs = z.union([z.string(), z.array(z.string())])

const ModelBlock = z
  .strictObject({
    path: Globs.meta({ description: 'globs of models, from the folder of this file' }),
    ...optionKeys(names.filter((name) => (auditOptions[name] as AnyDeclaration).perModel)),
  })
  .meta({ id: 'ModelBlock' })

const IgnoreBlock = z
  .strictObject({
    rule: z.string().meta({ description: 'a gate or a kind of finding, see lipschitz explain' }),
    model: Globs.optional().meta({ description: 'globs of models; default: all' }),
    node: Globs.optional().meta({ description: 'globs of nodes; default: all, and gates as a whole' }),
    reason: z.string().min(1),
    until: z.iso.date().optional().meta({ description: 'the last day on which it is ignored' }),
  })
  .meta({ id: 'IgnoreBlock' })

export const ConfigFile = z.strictObject({
  $schema: z.string().optional(),
  ...optionKeys(names),
  models: z.array(ModelBlock).optional().meta({ description: 'settings of some models; later blocks win' }),
  ignore: z.array(IgnoreBlock).optional().meta({ description: 'what is known and accepted' }),
})

/** A value of an option in a file. */
export type OptionValue =
  | boolean
  | number
  | string
  | readonly (string | number)[]
  | Readonly<Record<string, number | readonly (number | null)[]>>

/** Settings as they stand in the file or in a block of it. */
export type OptionValues = { readonly [K in OptionName]?: OptionValue }

export interface ModelBlock extends OptionValues {
  readonly path: string | readonly string[]
}

export type IgnoreBlock = z.infer<typeof IgnoreBlock>

export interface ConfigFile extends OptionValues {
  readonly models?: readonly ModelBlock[]
  readonly ignore?: readonly IgnoreBlock[]
}

/** The JSON Schema (draft 2020-12) of a configuration file. */
export function configJsonSchema(): object {
  const { $schema, ...rest } = z.toJSONSchema(ConfigFile, { io: 'input', reused: 'inline' })
  return { $schema, $id: configSchemaUrl, title: 'Configuration of lipschitz, version 1', ...rest }
}
