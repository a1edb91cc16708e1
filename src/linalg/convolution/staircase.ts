/** Elements of a staircase: a lower triangle by rows, rows 2m and 2m + 1 both of 2m + 2 places. */
export function staircaseSize(order: number): number {
  const half = (order + 1) >> 1
  return 2 * half * (half + 1)
}
