import fc from 'fast-check'

// One seed, so that a run that passes here passes elsewhere; PROPERTY_SEED=random (or a number) looks further.
const asked = process.env.PROPERTY_SEED
if (asked !== 'random') fc.configureGlobal({ seed: asked === undefined ? 20261124 : Number(asked) })
