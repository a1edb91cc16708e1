import { existsSync, realpathSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { AuditOptions } from '../audit/options.ts'
import { LipschitzError } from '../core/errors.ts'
import { compare, log, magnitude } from '../core/magnitude.ts'
import { isZero } from '../core/term.ts'
import { cannotWrite } from '../core/write-failure.ts'
import { foldBatchNorms } from './batch-norm.ts'
import { describeNormalization } from './describe-normalization.ts'
import { type NewElements, writeEditedCopy } from './edited-copy.ts'
import { combined, type Factors, factorsToTarget } from './factors.ts'
import { type Chosen, chooseLayers, type Group } from './group.ts'
import type { Normalization } from './normalization.ts'
import type { NormalizeOptions } from './options.ts'
import { checkProportion } from './proportion.ts'
import { factorsToBound } from './spread.ts'
import { type Survey, surveyModel } from './survey.ts'
import { openWorkshop } from './workshop.ts'

/** A tenth of what a norm may fall short of the target. */
const defaultTolerance = 1e-4
/** The network's bound is within this of the constant that was asked for. */
const bandOfBound = 1e-3
const attempts = 8

/**
 * Writes a model whose chosen layers provably have norms of at most `target`, or whose network provably has the
 * Lipschitz constant `toLipschitz`: a byte-for-byte copy but for the weights that had to be scaled. The copy is
 * read, measured and bounded like any model before it takes its name; where that does not prove it, nothing is
 * written. The input is only read.
 *
 * @throws LipschitzError usage, output, unsupported (which layer cannot be scaled and why), and what audits throw
 */
export async function normalize(
  model: string,
  output: string,
  options: NormalizeOptions = {},
): Promise<Normalization> {
  checkOptions(options)
  checkOutput(model, output, options.force ?? false)
  // norms need no bound of the network: the quickest is told
  const effort = options.effort ?? (options.toLipschitz === undefined ? 'fast' : undefined)
  const auditing: AuditOptions = { ...options, effort, tolerance: options.tolerance ?? defaultTolerance }
  const before = await surveyModel(model, auditing)
  const chosen = chooseLayers(before, options.layers)
  const folding = options.foldBatchNorm
    ? foldBatchNorms(
        before,
        chosen.groups.flatMap(({ layers }) => layers),
      )
    : { changes: new Map<string, NewElements>(), skipped: [] }
  const workshop = openWorkshop(output)
  const name = basename(output)
  const copy = join(workshop.folder, name)
  let names: string[] = []
  const write = async (factors: Factors): Promise<Survey> => {
    for (const old of names) rmSync(join(workshop.folder, old))
    const changes = newElements(chosen.groups, folding.changes, factors)
    names = writeEditedCopy({ model, folder: workshop.folder, name, destination: dirname(output) }, changes)
    const survey = await surveyModel(copy, auditing)
    checkProportion(before, survey, chosen.groups, folding.changes, factors)
    return survey
  }
  try {
    const reached =
      options.toLipschitz === undefined
        ? await reachTarget(before, chosen, options, folding.changes.size > 0, write)
        : await reachBound(before, chosen, options, options.toLipschitz, write)
    workshop.publish(names)
    return describeNormalization({ model, output, names, before, chosen, folding, ...reached })
  } finally {
    workshop.discard()
  }
}

/** What was written, and by which factors. */
interface Reached {
  readonly after: Survey
  readonly factors: Factors
}

/** Scales until the copy's own enclosures are within the target. */
async function reachTarget(
  before: Survey,
  chosen: Chosen,
  { target = 1, layers }: NormalizeOptions,
  isFolded: boolean,
  write: (factors: Factors) => Promise<Survey>,
): Promise<Reached> {
  const beyond = chosen.refused.filter(({ layer }) => !(layer.norm !== null && layer.norm.upper <= target))
  refuse(beyond)
  let factors: Factors = new Map()
  let survey = isFolded ? await write(factors) : before
  for (let attempt = 0; attempt < attempts; attempt++) {
    const found = attempt === 0 && !isFolded ? chosen : chooseLayers(survey, layers)
    const missing = factorsToTarget(found.groups, target, attempt)
    if (missing.size === 0 && survey !== before) return { after: survey, factors }
    factors = combined(factors, placedAsBefore(missing, found.groups, chosen.groups))
    survey = await write(factors)
  }
  throw unproven(`the norms of all chosen layers are at most ${target}`)
}

/** Scales until the copy's own bound is within the constant and near it. */
async function reachBound(
  before: Survey,
  { groups }: Chosen,
  { spread = 'evenly' }: NormalizeOptions,
  constant: number,
  write: (factors: Factors) => Promise<Survey>,
): Promise<Reached> {
  const boundOf = ({ proof: { bounds } }: Survey) => log(bounds.best.joint.lipschitz.value)
  const goal = Math.log(constant)
  const { refusal } = before.proof.bounds
  if (refusal === null && !isZero(before.proof.bounds.best.joint.offset)) {
    throw new LipschitzError(
      'unsupported',
      'the network rounds its activations: it has no Lipschitz constant',
      {
        hint: 'normalise before quantising, or give a norm of layers with --target',
      },
    )
  }
  if (refusal !== null) {
    throw new LipschitzError('unsupported', `the network has no bound: ${refusal.op} ${refusal.reason}`, {
      ...(refusal.node === '' ? {} : { node: refusal.node }),
    })
  }
  if (boundOf(before) <= goal) return { after: await write(new Map()), factors: new Map() }
  let aim = goal
  let best: Reached | null = null
  for (let attempt = 0; attempt < attempts; attempt++) {
    const factors = factorsToBound(before, groups, spread, aim)
    const after = await write(factors)
    const rest = goal - boundOf(after)
    if (isWithin(after, constant)) {
      best = { after, factors }
      if (rest <= bandOfBound) return best
    }
    // other bounds than the predicted one may have proven less, or more
    aim += rest - bandOfBound / 2
  }
  if (best === null) throw unproven(`the network's constant is at most ${constant}`)
  return { factors: best.factors, after: await write(best.factors) }
}

function isWithin({ proof: { bounds } }: Survey, constant: number): boolean {
  const { lipschitz, offset } = bounds.best.joint
  return bounds.refusal === null && isZero(offset) && compare(lipschitz.value, magnitude(constant)) <= 0
}

/** Places in the copy as places in the original: groups stand in the same order in both. */
function placedAsBefore(factors: Factors, now: readonly Group[], then: readonly Group[]): Factors {
  return new Map(
    now.flatMap(({ place }, i) => (factors.has(place) ? [[then[i].place, factors.get(place)!]] : [])),
  )
}

/** The elements of everything that changes. */
function newElements(
  groups: readonly Group[],
  folded: ReadonlyMap<string, NewElements>,
  factors: Factors,
): NewElements[] {
  const changes = new Map(folded)
  for (const { place, tensor, inverse } of groups) {
    const factor = factors.get(place) ?? 1
    if (factor === 1) continue
    const values = changes.get(place)?.values ?? tensor.load().data
    const multiplier = inverse ? 1 / factor : factor
    changes.set(place, { tensor, values: Float64Array.from(values, (value) => value * multiplier) })
  }
  return [...changes.values()]
}

function refuse(refused: Chosen['refused']): void {
  if (refused.length === 0) return
  const [{ layer, reason }] = refused
  const others = refused.length === 1 ? '' : ` (and ${refused.length - 1} more layers cannot be scaled)`
  throw new LipschitzError('unsupported', `the layer cannot be scaled: ${reason}${others}`, {
    node: layer.placed.node.name,
    hint: 'choose other layers with --layers',
  })
}

function unproven(what: string): LipschitzError {
  return new LipschitzError('unsupported', `it could not be proven that ${what}; nothing was written`, {
    hint: 'a coarser type or a wide enclosure may be in the way; try another target or tolerance',
  })
}

function checkOptions({ target, toLipschitz, spread }: NormalizeOptions): void {
  const refusal = (message: string, hint: string) => new LipschitzError('usage', message, { hint })
  for (const [name, value] of Object.entries({ target, toLipschitz })) {
    if (value !== undefined && !(value > 0 && Number.isFinite(value)))
      throw refusal(`${name} is ${value}`, 'give a finite number above 0')
  }
  if (target !== undefined && toLipschitz !== undefined)
    throw refusal('both a norm of layers and a constant of the network are given', 'give one of them')
  if (spread !== undefined && toLipschitz === undefined)
    throw refusal('a spread is given without a constant of the network', 'give it with toLipschitz')
}

/** The output must not be the input, nor exist unless it may be replaced. */
function checkOutput(model: string, output: string, force: boolean): void {
  if (!existsSync(output) && !existsSync(`${output}.data`)) return
  if (existsSync(output) && existsSync(model) && realpathSync(output) === realpathSync(model))
    throw cannotWrite(output, 'it is the model itself, which is only read; write elsewhere and move it')
  if (!force)
    throw cannotWrite(existsSync(output) ? output : `${output}.data`, 'it exists; --force replaces it')
}
