import { normNames } from '../../core/norm-name.ts'
import { anyText, inputRange, inputShape, oneOf, positiveNumber } from '../readers.ts'
import type { AnyDeclaration } from './declaration.ts'

/** Inputs, outputs, and the domain between them. */
export const subjectOptions = {
  inputShape: {
    flags: '--input-shape <name=1,3,224,224>',
    group: 'What is audited',
    text: 'shape of a dynamic input, ? for a dimension that stays unknown; repeatable',
    kind: 'list',
    read: inputShape,
    perModel: true,
  },
  inputRange: {
    flags: '--input-range <[name=]lo,hi>',
    group: 'What is audited',
    text: 'bounds hold for inputs with elements in this range alone; repeatable',
    kind: 'list',
    read: inputRange,
    perModel: true,
  },
  around: {
    flags: '--around <file|zeros>',
    group: 'What is audited',
    text: 'bounds hold around this point alone: .npy, or .json with nested lists or inputs by name',
    kind: 'value',
    read: anyText,
    isPath: true,
    perModel: true,
  },
  radius: {
    flags: '--radius <r>',
    group: 'What is audited',
    text: 'how far around the point',
    kind: 'value',
    read: positiveNumber,
    json: 'number',
    perModel: true,
  },
  radiusNorm: {
    flags: '--radius-norm <l2|linf>',
    group: 'What is audited',
    text: 'what the radius is measured in (default: l2)',
    kind: 'value',
    read: oneOf(['l2', 'linf']),
    choices: ['l2', 'linf'],
    perModel: true,
  },
  input: {
    flags: '--input <name>',
    group: 'What is audited',
    text: 'input that may change; repeatable (default: all of floating-point type)',
    kind: 'list',
    read: anyText,
    perModel: true,
  },
  outputName: {
    flags: '--output-name <name>',
    group: 'What is audited',
    text: 'output that is bounded; repeatable (default: all of floating-point type)',
    kind: 'list',
    read: anyText,
    perModel: true,
  },
  norm: {
    flags: '--norm <l2|linf|l1>',
    group: 'What is audited',
    text: 'norm in which changes of inputs and outputs are measured (default: l2)',
    kind: 'value',
    read: oneOf(normNames),
    choices: normNames,
    perModel: true,
  },
} satisfies Record<string, AnyDeclaration>
