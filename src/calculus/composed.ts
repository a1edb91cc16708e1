/** Linear maps one after the other: what regions and derivatives are made of. */
export { type ComposedMap, compose, type Step } from '../ops/maps/composed.ts'
