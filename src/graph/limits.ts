/** Budgets of graph building; beyond them a model is refused with code `limit`. */
export const graphLimits = {
  /** Nodes after all functions are inlined. */
  inlinedNodes: 1_000_000,
  /** Functions that call one another, one inside the next. */
  functionDepth: 100,
  /** Bodies of If, Loop and Scan, one inside the next, functions inlined. */
  bodyDepth: 64,
} as const
