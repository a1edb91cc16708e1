export const efforts = ['fast', 'normal', 'high'] as const

/** How much work bounds beyond the graph walk may take. */
export type Effort = (typeof efforts)[number]

/** Multiply-adds, roughly, and never seconds: equal input gives equal bounds. */
export interface Budget {
  /** Norms of linear regions, for the graph bound. */
  readonly regions: number
  /** Norms over windows of the linearised network. */
  readonly windows: number
  /** Descent, at the most, and what is enough where each step is cheap. */
  readonly descent: number
  readonly enough: number
  readonly evaluations: number
  /** Descent on matrices where the loop has proven a bound already. */
  readonly further: number
  /** The loop: multiply-adds, and steps of search. */
  readonly loop: { readonly budget: number; readonly steps: number }
  /** Search through the cells of piecewise linear networks, and how many neurons they may have. */
  readonly cells: number
  readonly neurons: number
}

export const budgets: Readonly<Record<Effort, Budget>> = {
  /** The walks alone. */
  fast: {
    regions: 2e7,
    windows: 0,
    descent: 0,
    enough: 0,
    evaluations: 0,
    further: 0,
    loop: { budget: 0, steps: 0 },
    cells: 0,
    neurons: 0,
  },
  /** Some seconds at the most, hardly noticed for networks of some thousand weights. */
  normal: {
    regions: 2e8,
    windows: 4e8,
    descent: 1.8e10,
    enough: 1e8,
    evaluations: 90,
    further: 2e9,
    loop: { budget: 4e9, steps: 100 },
    cells: 5e7,
    neurons: 48,
  },
  /** Minutes. */
  high: {
    regions: 5e9,
    windows: 3e10,
    descent: 5e11,
    enough: 5e11,
    evaluations: 2000,
    further: 5e11,
    loop: { budget: 6e10, steps: 600 },
    cells: 4e9,
    neurons: 400,
  },
}

export const boundChoices = ['product', 'graph', 'mean-slope', 'sdp', 'exact', 'best'] as const

/** Bounds that may be asked for alone; 'best' is the least of all. */
export type BoundChoice = (typeof boundChoices)[number]
