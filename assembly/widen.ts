/**
 * Elements of one or two bytes as float32, all exactly: `count` elements from `from` on, to `to`. Source and target do not
 * overlap. Infinities and NaN stay what they are.
 */

/** Eight float16, or fewer. Shifted into place and multiplied by 2¹¹², exponents fit float32, those of subnormals, too. */
export function widenF16(from: usize, count: i32, to: usize): void {
  let left = count
  for (; left >= 8; left -= 8) {
    const halves = v128.load(from)
    v128.store(to, float16(i32x4.extend_low_i16x8_u(halves)))
    v128.store(to, float16(i32x4.extend_high_i16x8_u(halves)), 16)
    from += 16
    to += 32
  }
  for (; left > 0; left--) {
    store<f32>(to, f32x4.extract_lane(float16(i32x4.splat(load<u16>(from))), 0))
    from += 2
    to += 4
  }
}

// @ts-ignore: decorator
@inline
function float16(bits: v128): v128 {
  const magnitude = v128.and(bits, i32x4.splat(0x7fff))
  const special = v128.and(i32x4.gt_s(magnitude, i32x4.splat(0x7bff)), i32x4.splat(0x7f800000))
  const value = f32x4.mul(i32x4.shl(magnitude, 13), f32x4.splat(5192296858534827628530496329220096.0))
  const sign = i32x4.shl(v128.and(bits, i32x4.splat(0x8000)), 16)
  return v128.or(v128.or(value, special), sign)
}

/** bfloat16 is the upper half of float32. */
export function widenBF16(from: usize, count: i32, to: usize): void {
  let left = count
  for (; left >= 8; left -= 8) {
    const halves = v128.load(from)
    v128.store(to, i32x4.shl(i32x4.extend_low_i16x8_u(halves), 16))
    v128.store(to, i32x4.shl(i32x4.extend_high_i16x8_u(halves), 16), 16)
    from += 16
    to += 32
  }
  for (; left > 0; left--) {
    store<u32>(to, <u32>load<u16>(from) << 16)
    from += 2
    to += 4
  }
}

export function widenI8(from: usize, count: i32, to: usize): void {
  let left = count
  for (; left >= 8; left -= 8) {
    const words = i16x8.extend_low_i8x16_s(v128.load64_zero(from))
    v128.store(to, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(words)))
    v128.store(to, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(words)), 16)
    from += 8
    to += 32
  }
  for (; left > 0; left--) {
    store<f32>(to, <f32>load<i8>(from))
    from += 1
    to += 4
  }
}

export function widenU8(from: usize, count: i32, to: usize): void {
  let left = count
  for (; left >= 8; left -= 8) {
    const words = i16x8.extend_low_i8x16_u(v128.load64_zero(from))
    v128.store(to, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(words)))
    v128.store(to, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_u(words)), 16)
    from += 8
    to += 32
  }
  for (; left > 0; left--) {
    store<f32>(to, <f32>load<u8>(from))
    from += 1
    to += 4
  }
}
