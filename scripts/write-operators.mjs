// Writes docs/operators.md from the operators' declarations.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'

const root = join(import.meta.dirname, '..')
const file = join(root, 'node_modules/.cache/lipschitz/coverage.mjs')
const build = await rolldown({ cwd: root, input: 'src/ops/coverage.ts', platform: 'node' })
await build.write({ file, format: 'esm', codeSplitting: false })
const { coverageMarkdown } = await import(pathToFileURL(file))

const introduction = `# Operators

Every operator that is known. \`since\`: the versions of its domain from which a declaration holds. \`bound\`: \`rule\` means
that it carries Lipschitz bounds, or refuses for a reason that the finding names (an unbounded domain, a size that is
not known); \`discontinuous\` and \`random\` operators never have a certificate where they vary; \`none\` has no proven rule,
so nothing behind it is certified. \`layers\`: its constant weights are listed and measured. \`folds\`: evaluated where its
inputs are constant. Operators that are not in the list are listed by \`inspect\` and have no certificate.

Written by \`npm run operators\` from the declarations in \`src/ops\`.

`
writeFileSync(join(root, 'docs/operators.md'), introduction + coverageMarkdown())
