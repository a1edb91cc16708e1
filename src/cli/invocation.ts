import type { diffOptions } from './diff-options.ts'
import type { normalizeOptions } from './normalize-options.ts'
import type { Source } from './options.ts'
import type { OwnSettings } from './own-options.ts'
import type { probeOptions } from './probe-options.ts'

/** What the command line asks for. */
export type Invocation =
  | { readonly command: 'audit'; readonly models: readonly string[]; readonly flags: Source }
  | {
      readonly command: 'inspect'
      readonly model: string
      /** Whether norms are measured and values bounded. */
      readonly norms: boolean
      readonly flags: Source
    }
  | {
      readonly command: 'diff'
      readonly old: string
      readonly fresh: string
      readonly own: OwnSettings<typeof diffOptions>
      readonly flags: Source
    }
  | {
      readonly command: 'normalize'
      readonly model: string
      readonly own: OwnSettings<typeof normalizeOptions>
      readonly flags: Source
    }
  | {
      readonly command: 'probe'
      readonly model: string
      readonly own: OwnSettings<typeof probeOptions>
      readonly flags: Source
    }
  | { readonly command: 'report'; readonly path: string; readonly flags: Source }
  | { readonly command: 'merge'; readonly paths: readonly string[]; readonly flags: Source }
  | { readonly command: 'schema'; readonly name: string }
  | { readonly command: 'explain'; readonly rule: string | undefined }
  | { readonly command: 'completion'; readonly shell: string }
  | { readonly command: 'print'; readonly text: string }
