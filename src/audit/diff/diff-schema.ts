import * as z from 'zod'
import { Bound, Domain, Finding, Gate, LayerKind, LowerBound, Spectral, Verdict } from '../report-schema.ts'
import { diffSchemaUrl, diffSchemaVersion } from './diff-schema-version.ts'

/**
 * What `lipschitz diff -f json` prints and `schema/diff-v1.json` publishes, version 1. As in a report, a value without
 * a bound is null with `unbounded: true` and a reason.
 */

const Side = z
  .object({
    path: z.string(),
    sha256: z.string(),
    bytes: z.int().nonnegative(),
    parameters: z.int().nonnegative(),
    lipschitz: Bound.meta({ description: "the network's best upper bound" }),
    regularizers: z.object({
      l2: z.number().nonnegative().nullable(),
      spectral: z.number().nonnegative().nullable(),
    }),
  })
  .meta({ id: 'Side' })

const LayerSide = z
  .object({
    node: z.string(),
    role: z.string(),
    op: z.string(),
    kind: LayerKind,
    weight: z.string(),
    shape: z.array(z.int().nonnegative()),
    rank: z.int().positive(),
    order: z.int().positive(),
    frobenius: z.number().nonnegative().nullable().meta({ description: 'of the weight' }),
    spectral: Spectral,
  })
  .meta({ id: 'LayerSide' })

const Difference = z
  .object({
    frobenius: z
      .number()
      .nonnegative()
      .nullable()
      .meta({ description: "‖W−W'‖_F of the weights' real values" }),
    spectral: Spectral.meta({ description: "‖W−W'‖₂ of the linear map at its real size" }),
    relative: z.object({
      frobenius: z.number().nonnegative().nullable().meta({ description: "‖W−W'‖_F / ‖W‖_F" }),
      spectral: z
        .number()
        .nonnegative()
        .nullable()
        .meta({ description: "‖W−W'‖₂ / ‖W‖₂ at most; null where ‖W‖₂ may be 0" }),
    }),
  })
  .meta({ id: 'Difference' })

const LayerDiff = z
  .object({
    status: z.enum(['equal', 'changed', 'added', 'removed']),
    renamed: z.boolean().meta({ description: 'whether the two nodes have different names' }),
    old: LayerSide.nullable(),
    new: LayerSide.nullable(),
    difference: Difference.nullable().meta({ description: 'null where it could not be taken' }),
    rankMove: z
      .int()
      .nullable()
      .meta({ description: 'by how many ranks the layer has become more sensitive; null unless in both' }),
    part: z
      .number()
      .nonnegative()
      .nullable()
      .meta({ description: "the layer's part in the bound of the outputs' difference" }),
  })
  .meta({ id: 'LayerDiff' })

const OutputChange = z
  .object({
    upper: Bound.meta({ description: "‖f(x) − f'(x)‖₂ over the domain, all audited outputs together" }),
    lower: LowerBound.nullable().meta({ description: 'the difference at some input of the domain' }),
    domain: Domain,
    roundings: z.number().nonnegative().nullable().meta({ description: 'part of rounded activations' }),
    constants: z
      .number()
      .nonnegative()
      .nullable()
      .meta({ description: 'part of constants that are no weights of layers' }),
  })
  .meta({ id: 'OutputChange' })

const ModelDiff = z
  .object({
    old: Side,
    new: Side,
    verdict: Verdict,
    layers: z.array(LayerDiff).meta({ description: 'in the order of the graph' }),
    outputChange: OutputChange.nullable().meta({ description: 'null where two reports are compared' }),
    findings: z.array(Finding),
    gates: z.array(Gate),
  })
  .meta({ id: 'ModelDiff' })

export const Diff = z.object({
  $schema: z.literal(diffSchemaUrl),
  schemaVersion: z.literal(diffSchemaVersion),
  tool: z.object({ name: z.string(), version: z.string() }),
  verdict: Verdict,
  models: z.array(ModelDiff),
})

export type DiffSide = z.infer<typeof Side>
export type DiffLayerSide = z.infer<typeof LayerSide>
export type WeightDifference = z.infer<typeof Difference>
export type LayerDiff = z.infer<typeof LayerDiff>
export type OutputChange = z.infer<typeof OutputChange>
export type ModelDiff = z.infer<typeof ModelDiff>
export type Diff = z.infer<typeof Diff>

/** The JSON Schema (draft 2020-12) of a comparison. Readers accept keys that later versions add. */
export function diffJsonSchema(): object {
  const { $schema, ...rest } = z.toJSONSchema(Diff, { io: 'input', reused: 'inline' })
  return { $schema, $id: diffSchemaUrl, title: 'Comparison of two models by lipschitz, version 1', ...rest }
}
