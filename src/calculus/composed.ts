export { type ComposedMap, compose, type Step } from '../ops/maps/composed.ts'
