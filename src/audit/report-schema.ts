import * as z from 'zod'
import { schemaUrl, schemaVersion } from './schema-version.ts'

/**
 * The report, version 1: what `-f json` prints and what `schema/report-v1.json` publishes. Import the types with
 * `import type`; the value is loaded where a report is validated or the JSON Schema is printed, never by an audit.
 *
 * JSON holds no Infinity and no NaN. A value without a bound is null with `unbounded: true` and a `reason`; a
 * value beyond float64 is null with a finite `log10`.
 */

export const Verdict = z.enum(['pass', 'fail', 'inconclusive', 'none']).meta({
  description:
    'pass: proven within the limit; fail: proven beyond it; inconclusive: neither; none: no gate was set',
})

export const Certificate = z.enum(['deterministic', 'probabilistic']).meta({
  description:
    'deterministic: holds given IEEE arithmetic; probabilistic: except with the stated probability',
})

const Dims = z
  .array(z.int().nonnegative().nullable())
  .meta({ description: 'null stands for an unknown dimension' })

const unboundedKeys = {
  unbounded: z.literal(true).optional().meta({ description: 'set where there is no finite proven value' }),
  reason: z.string().optional().meta({ description: 'why there is no finite value' }),
}

/** A proven upper bound. Without a proof: value, log10 and certificate are null, `unbounded` is true. */
export const Bound = z
  .object({
    value: z.number().nonnegative().nullable(),
    log10: z.number().nullable().meta({ description: 'null where the value is 0 or unbounded' }),
    method: z.string(),
    certificate: Certificate.nullable(),
    failureProbability: z.number().min(0).max(1).nullable(),
    ...unboundedKeys,
    node: z.string().optional().meta({ description: 'the first node without a bound, where unbounded' }),
    op: z.string().optional(),
  })
  .meta({ id: 'Bound' })

export const LowerBound = z
  .object({
    value: z.number().nonnegative().nullable(),
    log10: z.number().nullable(),
    method: z.string(),
    certificate: Certificate.optional(),
  })
  .meta({ id: 'LowerBound' })

const Lipschitz = z
  .object({
    upper: Bound,
    lower: LowerBound.nullable(),
    offset: z
      .number()
      .nonnegative()
      .nullable()
      .meta({ description: '|f(x)-f(y)| <= upper*|x-y| + offset; null where unbounded or beyond float64' }),
    ladder: z.array(Bound).meta({ description: 'every bound computed, loosest first' }),
  })
  .meta({ id: 'Lipschitz' })

export const Domain = z
  .looseObject({
    kind: z.enum(['global', 'box', 'ball']),
    ranges: z
      .array(z.object({ input: z.string(), lo: z.number(), hi: z.number() }))
      .optional()
      .meta({ description: 'of a box: where the elements of these inputs lie; others lie anywhere' }),
    around: z.string().optional().meta({ description: 'of a ball: what its centre was called' }),
    radius: z.number().positive().optional(),
    radiusNorm: z.enum(['l2', 'linf']).optional(),
  })
  .meta({ id: 'Domain' })

const Input = z
  .object({
    name: z.string(),
    shape: Dims.nullable().meta({ description: 'null where the rank is not known' }),
    dtype: z.string().nullable(),
    audited: z.boolean().optional().meta({ description: 'whether the bound is with respect to this input' }),
  })
  .meta({ id: 'Input' })

const Output = z
  .object({
    name: z.string(),
    shape: Dims.nullable(),
    dtype: z.string().nullable(),
    lipschitz: Lipschitz.nullable().meta({
      description: 'for this output alone; null where it is not audited',
    }),
  })
  .meta({ id: 'Output' })

export const Spectral = z
  .object({
    lower: z.number().nonnegative().nullable(),
    upper: z.number().nonnegative().nullable(),
    method: z.string(),
    certificate: Certificate.nullable(),
    failureProbability: z.number().min(0).max(1).nullable(),
    ...unboundedKeys,
  })
  .meta({ id: 'Spectral' })

export const LayerKind = z.enum(['dense', 'conv', 'conv-transpose', 'recurrent', 'embedding', 'scale'])

const Layer = z
  .object({
    rank: z.int().positive().meta({ description: '1 is the most sensitive layer' }),
    order: z.int().positive().meta({ description: 'place in the order of the graph, from 1' }),
    node: z.string(),
    role: z.string().meta({ description: 'tells the layers of one node apart; empty where it has one' }),
    op: z.string(),
    kind: LayerKind,
    weight: z.string(),
    shape: z.array(z.int().nonnegative()),
    parameters: z.int().nonnegative(),
    weightSha256: z.string(),
    inputShape: Dims.nullable(),
    frobenius: z.object({
      weight: z.number().nonnegative().nullable(),
      operator: z
        .number()
        .nonnegative()
        .nullable()
        .meta({ description: 'null where the input size is not known' }),
    }),
    spectral: Spectral,
    induced: z
      .number()
      .nonnegative()
      .nullable()
      .optional()
      .meta({ description: 'the norm of the operator in the norm of the model, where that is not l2' }),
    stableRank: z.number().nonnegative().nullable(),
    gain: z.number().nonnegative().nullable(),
    elasticity: z.number().nullable().meta({ description: 'null where there is no finite bound' }),
    share: z.number().nullable(),
    perturbation: z
      .number()
      .nonnegative()
      .nullable()
      .optional()
      .meta({
        description:
          'how far the outputs can move, over the domain, when the weights change by an operator of 1 % of the norm; ' +
          'null without a domain',
      }),
    regularizer: z
      .object({ l2: z.number().nonnegative().nullable(), spectral: z.number().nonnegative().nullable() })
      .nullable()
      .optional()
      .meta({ description: "the layer's part in the regularizers; null where it is not counted there" }),
  })
  .meta({ id: 'Layer' })

const Ignored = z
  .object({
    reason: z.string(),
    until: z.string().optional().meta({ description: 'the last day on which it is ignored, YYYY-MM-DD' }),
  })
  .meta({ id: 'Ignored', description: 'set where the configuration says to ignore it' })

export const Finding = z
  .object({
    rule: z.string(),
    level: z.enum(['error', 'warning', 'note']),
    message: z.string(),
    node: z.string().optional(),
    tensor: z.string().optional(),
    op: z.string().optional(),
    hint: z.string().optional(),
    ignored: Ignored.optional(),
  })
  .meta({ id: 'Finding' })

export const Gate = z
  .object({
    rule: z.string(),
    limit: z
      .number()
      .nullable()
      .meta({ description: 'null where it follows from a baseline that has no finite value' }),
    lower: z.number().nullable(),
    upper: z.number().nullable(),
    verdict: z.enum(['pass', 'fail', 'inconclusive']),
    ...unboundedKeys,
    node: z
      .string()
      .optional()
      .meta({ description: 'the layer that the gate is about, for gates of layers' }),
    layers: z.array(z.string()).optional().meta({ description: 'layers to blame, worst first' }),
    baseline: z
      .number()
      .nullable()
      .optional()
      .meta({ description: "the baseline's value, for gates on its increase" }),
    ignored: Ignored.optional(),
  })
  .meta({ id: 'Gate' })

const TracePoint = z
  .object({
    node: z.string(),
    op: z.string().meta({ description: 'empty for an audited input' }),
    from: z.array(z.int().nonnegative()).meta({ description: 'places in the trace of what the node reads' }),
    log10: z.number().nullable().meta({ description: 'of the bound here; null where it is 0 or unbounded' }),
    unbounded: unboundedKeys.unbounded,
  })
  .meta({ id: 'TracePoint' })

const ModelReport = z
  .object({
    path: z.string(),
    verdict: Verdict,
    sha256: z.string(),
    bytes: z.int().nonnegative(),
    irVersion: z.int().nonnegative(),
    opsets: z
      .record(z.string(), z.int())
      .meta({ description: 'imported version of each domain; "" is ai.onnx' }),
    producer: z.string(),
    parameters: z.int().nonnegative(),
    inputs: z.array(Input),
    outputs: z.array(Output),
    norm: z.enum(['l2', 'linf', 'l1']),
    domain: Domain,
    lipschitz: Lipschitz.meta({ description: 'from all audited inputs to all audited outputs' }),
    regularizers: z.object({
      l2: z.number().nonnegative().nullable(),
      spectral: z.number().nonnegative().nullable(),
    }),
    layers: z.array(Layer).meta({ description: 'by rank' }),
    findings: z.array(Finding),
    gates: z.array(Gate),
    trace: z.array(TracePoint).optional().meta({
      description: 'how the bound grows along the graph: audited inputs, then nodes in topological order',
    }),
  })
  .meta({ id: 'ModelReport' })

/** A model that could not be audited, while others of the same call were. */
const ModelError = z
  .object({
    path: z.string(),
    code: z.string(),
    message: z.string(),
    node: z.string().optional(),
    tensor: z.string().optional(),
    hint: z.string().optional(),
  })
  .meta({ id: 'ModelError' })

const ShardRecord = z
  .object({
    index: z.int().positive(),
    count: z.int().positive(),
    plan: z.string().meta({ description: 'equal for all shards of a run: who does what' }),
    complete: z.boolean().meta({ description: 'false where the shard was interrupted' }),
    models: z
      .array(
        z.object({
          path: z.string(),
          sha256: z.string().nullable().meta({ description: 'null where the model cannot be read' }),
          question: z
            .record(z.string(), z.array(z.string()))
            .meta({ description: 'options that bounds depend on, as they were given' }),
        }),
      )
      .meta({ description: 'all models of the run, in their order' }),
    parts: z
      .array(
        z.object({
          model: z.int().nonnegative().meta({ description: 'place among the models of the run' }),
          layers: z.array(z.object({ key: z.string(), measurement: z.record(z.string(), z.unknown()) })),
        }),
      )
      .meta({ description: 'what the shard measured of models that are parted' }),
  })
  .meta({ id: 'ShardRecord' })

export const Report = z.object({
  $schema: z.literal(schemaUrl),
  schemaVersion: z.literal(schemaVersion),
  tool: z.object({ name: z.string(), version: z.string() }),
  verdict: Verdict.meta({ description: 'the worst verdict of all models' }),
  models: z.array(ModelReport),
  errors: z.array(ModelError).meta({ description: 'models of the call that could not be audited' }),
  shard: ShardRecord.optional().meta({
    description: 'set in the report of one shard: it has no verdicts yet',
  }),
})

export type Verdict = z.infer<typeof Verdict>
export type Bound = z.infer<typeof Bound>
export type Domain = z.infer<typeof Domain>
export type LowerBound = z.infer<typeof LowerBound>
export type Lipschitz = z.infer<typeof Lipschitz>
export type ReportedInput = z.infer<typeof Input>
export type ReportedOutput = z.infer<typeof Output>
export type Spectral = z.infer<typeof Spectral>
export type Layer = z.infer<typeof Layer>
export type Finding = z.infer<typeof Finding>
export type Gate = z.infer<typeof Gate>
export type TracePoint = z.infer<typeof TracePoint>
export type ModelReport = z.infer<typeof ModelReport>
export type ModelError = z.infer<typeof ModelError>
export type ShardRecord = z.infer<typeof ShardRecord>
export type Report = z.infer<typeof Report>

/** The JSON Schema (draft 2020-12) of the report. Readers accept keys that later versions add. */
export function reportJsonSchema(): object {
  const { $schema, ...rest } = z.toJSONSchema(Report, { io: 'input', reused: 'inline' })
  return { $schema, $id: schemaUrl, title: 'Report of lipschitz, version 1', ...rest }
}
