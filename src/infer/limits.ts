/** Budgets of inference and constant folding; beyond them the model is refused with code `limit`. */
export const inferenceLimits = {
  /** Largest constant, in elements, that shape rules read and that is kept for good. */
  smallElements: 4096,
  /** Elements of one folded tensor. */
  tensorElements: 2 ** 28,
  /** Elements read and written by all foldings of one model together. */
  totalElements: 2 ** 34,
  /** Bytes of large constants kept because they were used last. */
  recentBytes: 64 * 2 ** 20,
  /** Nodes inferred, counting a node in a body once for every time that the body is inferred. */
  inferredNodes: 10_000_000,
} as const
