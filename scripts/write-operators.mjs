// Writes docs/operators.md and docs/operators/without.md from the operators' declarations.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'

const root = join(import.meta.dirname, '..')
const file = join(root, 'node_modules/.cache/lipschitz/coverage.mjs')
const build = await rolldown({ cwd: root, input: 'src/ops/coverage.ts', platform: 'node' })
await build.write({ file, format: 'esm', codeSplitting: false })
const { coverageMarkdown, reasonsMarkdown } = await import(pathToFileURL(file))

const introduction = `# Operators

Every operator that is known. \`since\`: the versions of its domain from which a declaration holds. \`rule\`: the page with the
inequality and its proof. A rule may still refuse a node, for a reason that the finding names: an unbounded domain, a size
that is not known. Behind operators without a rule nothing is certified; the finding then gives the reason that stands here.
\`layers\`: constant weights are listed and measured. \`folds\`: evaluated where its inputs are constant. Operators that
are not in the list are listed by \`inspect\` and have no certificate.

Written by \`npm run operators\` from the declarations in \`src/ops\`.

`
writeFileSync(join(root, 'docs/operators.md'), introduction + coverageMarkdown())

const reasons = `# Operators without a rule

Some operators have no constant, some have none that is known here. Where nothing that such a node reads depends on the
audited inputs, its output does not vary either and nothing is lost; elsewhere the finding
[unbounded-op](../findings/unbounded-op.md) names the node and the reason.

Written by \`npm run operators\` from the declarations in \`src/ops\`.

`
writeFileSync(join(root, 'docs/operators/without.md'), reasons + reasonsMarkdown())
