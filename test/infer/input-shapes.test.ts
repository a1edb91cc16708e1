import { describe, expect, it } from 'vitest'
import type { Dim } from '../../src/core/tensor.ts'
import { readModel } from '../../src/graph/read-model.ts'
import { inferModel } from '../../src/infer/infer.ts'
import { errorOf } from '../helpers/error.ts'
import { modelFile, node, type ValueSpec } from '../helpers/onnx-builder.ts'

function infer(inputs: Record<string, ValueSpec>, given: Record<string, Dim[]> = {}) {
  const names = Object.keys(inputs)
  const nodes = names.map((name) => node('Identity', [name], [`${name}'`]))
  const model = readModel(modelFile({ inputs, outputs: names.map((name) => `${name}'`), nodes }))
  const typed = inferModel(model, { inputShapes: new Map(Object.entries(given)) })
  return { shapes: model.graph.inputs.map((value) => typed.operand(value).shape), notes: typed.notes }
}

const refusal = (...args: Parameters<typeof infer>) => errorOf(() => infer(...args))

describe('shapes of inputs', () => {
  it('are those that the file declares', () => {
    const { shapes, notes } = infer({ x: [1, 3, 8, 8], s: [], z: [0, 2] })
    expect(shapes).toEqual([[1, 3, 8, 8], [], [0, 2]])
    expect(notes).toEqual([])
  })

  it('have a dynamic first dimension bound to 1, and say so; others stay unknown', () => {
    const { shapes, notes } = infer({ x: ['batch', 3, 'h', null], y: [null, 5] })
    expect(shapes).toEqual([
      [1, 3, null, null],
      [1, 5],
    ])
    expect(notes.map((note) => note.rule)).toEqual(['batch-bound', 'batch-bound'])
    expect(notes[0].message).toContain("'x' (batch)")
  })

  it('bind a symbol alike wherever it stands', () => {
    expect(infer({ x: ['n', 's'], y: ['n', 's'] }).shapes).toEqual([
      [1, null],
      [1, null],
    ])
    expect(infer({ x: ['n', 's'], y: ['s', 'n'] }, { x: [4, 7] }).shapes).toEqual([
      [4, 7],
      [7, 4],
    ])
    expect(infer({ x: ['n', 's'], y: [2, 'n'] }).shapes).toEqual([
      [1, null],
      [2, 1],
    ])
  })

  it('take names such as ? for no symbol', () => {
    expect(infer({ x: ['?', '?'], y: ['?', '?'] }, { y: [3, 4] }).shapes).toEqual([
      [1, null],
      [3, 4],
    ])
  })

  it('can be given where the file is silent, in part too', () => {
    expect(infer({ x: { type: 'float32', shape: null } }, { x: [2, 3] }).shapes).toEqual([[2, 3]])
    expect(infer({ x: ['n', 'm'] }, { x: [null, 5] }).shapes).toEqual([[1, 5]])
    expect(infer({ x: [4, 'm'] }, { x: [4, 6] }).shapes).toEqual([[4, 6]])
  })

  it('stay unknown without a rank', () => {
    const { shapes, notes } = infer({ x: { type: 'float32', shape: null } })
    expect([shapes, notes]).toEqual([[null], []])
  })

  it('may not contradict the file or themselves', () => {
    expect(refusal({ x: [1, 3] }, { x: [1, 4] })).toMatchObject({ code: 'shape', tensor: 'x' })
    expect(refusal({ x: [1, 3] }, { x: [1, 3, 1] }).message).toContain('rank 2')
    expect(refusal({ x: ['n', 'n'] }, { x: [2, 3] }).message).toContain("'n' is 2")
    expect(refusal({ x: ['n'], y: ['n'] }, { x: [2], y: [3] }).code).toBe('shape')
  })

  it('may not be given for what is no input', () => {
    const error = refusal({ x: [1] }, { z: [1] })
    expect(error).toMatchObject({
      code: 'usage',
      message: "the model has no input 'z'",
      hint: "its inputs are 'x'",
    })
  })
})
