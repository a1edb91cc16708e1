/** Two consecutive elements as float64: float32 is widened, which is exact. */
// @ts-ignore: decorator
@inline
export function loadPair<T>(pointer: usize): v128 {
  if (sizeof<T>() == 4) return f64x2.promote_low_f32x4(v128.load64_zero(pointer))
  return v128.load(pointer)
}

/** The two elements behind those of `loadPair`, by a constant offset, which costs nothing. */
// @ts-ignore: decorator
@inline
export function loadNextPair<T>(pointer: usize): v128 {
  if (sizeof<T>() == 4) return f64x2.promote_low_f32x4(v128.load64_zero(pointer, 8))
  return v128.load(pointer, 16)
}

// @ts-ignore: decorator
@inline
export function loadOne<T>(pointer: usize): f64 {
  if (sizeof<T>() == 4) return <f64>load<f32>(pointer)
  return load<f64>(pointer)
}

// @ts-ignore: decorator
@inline
export function sumLanes(pair: v128): f64 {
  return f64x2.extract_lane(pair, 0) + f64x2.extract_lane(pair, 1)
}
