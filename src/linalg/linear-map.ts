/**
 * A real linear map A from `columns` to `rows` dimensions, matrix-free. All vectors are float64; `apply` and
 * `applyAdjoint` overwrite their second argument.
 */
export interface LinearMap {
  readonly rows: number
  readonly columns: number
  /** y = A x. */
  apply(x: Float64Array, y: Float64Array): void
  /** x = Aᵀ y. */
  applyAdjoint(y: Float64Array, x: Float64Array): void
}

/** The positive semidefinite B = AᵀA of a linear map A: what the Lanczos process works on. */
export interface NormalMap {
  readonly size: number
  /** z = AᵀA v. */
  apply(v: Float64Array, z: Float64Array): void
  /** Rounding error of `apply`: ‖fl(Bv) − Bv‖ ≤ roundingError · ‖A‖₂ · ‖v‖. */
  readonly roundingError: number
}

/** AᵀA of a linear map; `roundingError` as `NormalMap` defines it. */
export function normalMap(map: LinearMap, roundingError: number): NormalMap {
  const image = new Float64Array(map.rows)
  return {
    size: map.columns,
    roundingError,
    apply(v, z) {
      map.apply(v, image)
      map.applyAdjoint(image, z)
    },
  }
}
