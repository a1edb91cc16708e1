import type { Settings } from './options.ts'
import { type FormatChoice, isStandardOutput, usage } from './readers.ts'

/** Where each format goes. At most one goes to standard output (path null). */
export function chooseDestinations(settings: Pick<Settings, 'format' | 'json' | 'output'>): FormatChoice[] {
  const asked = [...(settings.format ?? [])]
  if (settings.json) asked.push({ name: 'json', path: null })
  if (asked.length === 0) asked.push({ name: 'table', path: null })
  const { output } = settings
  if (output !== undefined) {
    if (asked.length > 1) throw usage('-o takes one format', 'write each as -f name:path')
    if (asked[0].path !== null) throw usage(`the format has two paths, '${asked[0].path}' and '${output}'`)
    return [{ name: asked[0].name, path: isStandardOutput(output) ? null : output }]
  }
  if (asked.filter(({ path }) => path === null).length > 1) {
    throw usage('only one format can go to standard output', 'give the others a file: -f name:path')
  }
  const paths = asked.map(({ path }) => path).filter((path) => path !== null)
  const twice = paths.find((path, i) => paths.indexOf(path) !== i)
  if (twice !== undefined) throw usage(`two formats would go to '${twice}'`)
  return asked
}
