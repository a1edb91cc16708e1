/** Identifiers of a model's parts within the page: made of numbers, never of names from a file. */
export interface Identifiers {
  readonly model: string
  block(index: number): string
  layer(rank: number): string
}

export function identifiers(model: number): Identifiers {
  const prefix = `m${model + 1}`
  return {
    model: prefix,
    block: (index) => `${prefix}-b${index}`,
    layer: (rank) => `${prefix}-l${rank}`,
  }
}
