// add <report.json> <history.jsonl> <commit>: appends one line with the bounds of each model.
// draw <history.jsonl>: prints an SVG of the bounds over the commits.
import { appendFileSync, readFileSync } from 'node:fs'

const WIDTH = 800
const HEIGHT = 320
const LEFT = 70
const BOTTOM = 40
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9']

/** A line of the history: bounds by model as decimal logarithms, null without a certificate. */
function toEntry(report, commit) {
  const bounds = report.models.map(({ path, lipschitz, verdict, sha256 }) => [
    path,
    { log10: lipschitz.upper.log10, method: lipschitz.upper.method, verdict, sha256 },
  ])
  return { commit, version: report.tool.version, models: Object.fromEntries(bounds) }
}

const escapeXml = (text) =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`).replace(/\p{C}/gu, '\ufffd')

/** Bounds of one model along the commits, cut where there is none. */
function runs(values, x, y) {
  const lines = [[]]
  for (const [i, value] of values.entries()) {
    if (value === null) lines.push([])
    else lines.at(-1).push(`${x(i).toFixed(1)},${y(value).toFixed(1)}`)
  }
  return lines.filter((points) => points.length > 0)
}

function draw(entries) {
  const models = [...new Set(entries.flatMap((entry) => Object.keys(entry.models)))]
  const valuesOf = (model) => entries.map((entry) => entry.models[model]?.log10 ?? null)
  const all = models.flatMap(valuesOf).filter((value) => value !== null)
  const low = Math.floor(Math.min(...all, 0))
  const high = Math.max(low + 1, Math.ceil(Math.max(...all, 1)))
  const x = (i) => LEFT + (i * (WIDTH - LEFT - 20)) / Math.max(1, entries.length - 1)
  const y = (value) => HEIGHT - BOTTOM - ((value - low) * (HEIGHT - BOTTOM - 20)) / (high - low)
  const step = Math.max(1, Math.ceil((high - low) / 8))
  const ticks = Array.from({ length: Math.floor((high - low) / step) + 1 }, (_, i) => low + i * step)
  const grid = ticks.map(
    (tick) =>
      `<path d="M${LEFT} ${y(tick)}H${WIDTH - 20}" stroke="#ccc"/><text x="${LEFT - 8}" y="${y(tick) + 4}" text-anchor="end">1e${tick}</text>`,
  )
  const lines = models.flatMap((model, m) => {
    const colour = colours[m % colours.length]
    const parts = runs(valuesOf(model), x, y).map(
      (points) =>
        `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>${points
          .map(
            (point) =>
              `<circle cx="${point.split(',')[0]}" cy="${point.split(',')[1]}" r="3" fill="${colour}"/>`,
          )
          .join('')}`,
    )
    return [...parts, `<text x="${LEFT + 8}" y="${36 + 16 * m}" fill="${colour}">${escapeXml(model)}</text>`]
  })
  const ends = [entries[0], entries.at(-1)].map(
    ({ commit }, i) =>
      `<text x="${i === 0 ? LEFT : WIDTH - 20}" y="${HEIGHT - 14}" text-anchor="${i === 0 ? 'start' : 'end'}">${escapeXml(commit)}</text>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" role="img">
<title>Lipschitz bounds over commits</title>
<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>
${[...grid, ...lines, ...ends].join('\n')}
</svg>`
}

const [command, ...operands] = process.argv.slice(2)
if (command === 'add' && operands.length === 3) {
  const [report, history, commit] = operands
  appendFileSync(history, `${JSON.stringify(toEntry(JSON.parse(readFileSync(report, 'utf8')), commit))}\n`)
} else if (command === 'draw' && operands.length === 1) {
  const lines = readFileSync(operands[0], 'utf8').split('\n')
  console.log(draw(lines.filter((line) => line !== '').map((line) => JSON.parse(line))))
} else {
  console.error('usage: history.mjs add <report.json> <history.jsonl> <commit> | draw <history.jsonl>')
  process.exitCode = 2
}
