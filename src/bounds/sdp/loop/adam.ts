/** Decay of the mean of gradients and of their squares. */
const [MEAN, SQUARE] = [0.9, 0.97]

/** Adam (Kingma and Ba 2015): the step to subtract for each gradient in turn, each coordinate of about the given length. */
export function createAdam(size: number): (gradient: Float64Array, rate: number) => Float64Array {
  const mean = new Float64Array(size)
  const square = new Float64Array(size)
  let steps = 0
  return (gradient, rate) => {
    steps++
    const [first, second] = [1 - MEAN ** steps, 1 - SQUARE ** steps]
    const step = new Float64Array(size)
    for (let i = 0; i < size; i++) {
      mean[i] += (1 - MEAN) * (gradient[i] - mean[i])
      square[i] += (1 - SQUARE) * (gradient[i] * gradient[i] - square[i])
      step[i] = (rate * mean[i]) / first / (Math.sqrt(square[i] / second) + 1e-12)
    }
    return step
  }
}
