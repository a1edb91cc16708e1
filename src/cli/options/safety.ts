import { limitChoice, yesOrNo } from '../readers.ts'
import type { AnyDeclaration } from './declaration.ts'

/** What a file may take, and where it may lead. */
export const safetyOptions = {
  limit: {
    flags: '--limit <name=n>',
    group: 'Safety',
    text: 'raises or lowers what a model may cost, by a name listed below; repeatable',
    kind: 'list',
    read: limitChoice,
    perModel: true,
  },
  external: {
    flags: '--no-external',
    group: 'Safety',
    text: 'refuse models that keep tensors in other files',
    kind: 'negated',
    read: yesOrNo,
    perModel: true,
  },
  hardLinks: {
    flags: '--hard-links',
    group: 'Safety',
    text: 'accept external data files that have further hard links',
    kind: 'switch',
    read: yesOrNo,
    perModel: true,
  },
} satisfies Record<string, AnyDeclaration>
