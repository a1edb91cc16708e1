import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { validateConfig } from '../src/cli/config/validate.ts'
import { readSettings } from '../src/cli/options.ts'
import { parseArguments } from '../src/cli/program.ts'
import { renderJson } from '../src/report/json.ts'
import { renderOpenmetrics } from '../src/report/openmetrics/openmetrics.ts'
import { bound, plain, sampleModel, sampleReport } from './report/sample.ts'

const root = resolve(import.meta.dirname, '..')
const examples = join(root, 'examples')
const folder = mkdtempSync(join(tmpdir(), 'lipschitz-'))
const has = (program: string) => spawnSync(program, ['--version']).status === 0

/** A report in which every gauge has a sample. */
const report = {
  ...sampleReport([
    sampleModel({
      verdict: 'fail',
      gates: [{ rule: 'max-lipschitz', limit: 100, lower: 120, upper: 500 / 3, verdict: 'fail' }],
      findings: [{ rule: 'wide-enclosure', level: 'warning', message: 'wide' }],
      lipschitz: {
        upper: bound(500 / 3),
        lower: { value: 120, log10: Math.log10(120), method: 'jacobian' },
        offset: 0,
        ladder: [bound(500 / 3)],
      },
    }),
  ]),
  errors: [{ path: 'bad.onnx', code: 'malformed', message: 'cut short' }],
}
const gauges = renderOpenmetrics(report, plain)
const gaugeNames = new Set([...gauges.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name))

interface Panel {
  readonly title: string
  readonly targets: readonly { readonly expr: string }[]
}
const dashboard = JSON.parse(readFileSync(join(examples, 'grafana/dashboard.json'), 'utf8'))
const queries = (dashboard.panels as Panel[]).flatMap(({ targets }) =>
  targets.map(({ expr }) => expr.replaceAll('$model', '.*')),
)

describe('the dashboard', () => {
  it('asks for gauges that there are, in every panel', () => {
    expect(queries.length).toBeGreaterThan(8)
    for (const query of queries) {
      const asked = query.match(/lipschitz_\w+/g) ?? []
      expect(asked.length).toBeGreaterThan(0)
      for (const name of asked) expect(gaugeNames).toContain(name)
    }
  })

  it('has panels that do not lie over one another', () => {
    const cells = dashboard.panels.flatMap(
      ({ gridPos: { x, y, w, h } }: { gridPos: Record<string, number> }) =>
        Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
  })
})

/** Command lines of lipschitz in the examples and the documentation. */
function commandLines(): [string, string[]][] {
  const files = ['examples', 'docs', 'README.md'].flatMap((place) =>
    place.endsWith('.md')
      ? [place]
      : readdirSync(join(root, place), { recursive: true, encoding: 'utf8' }).map((name) =>
          join(place, name),
        ),
  )
  return files
    .filter((name) => /\.(md|ya?ml)$/.test(name))
    .flatMap((name) => {
      const text = readFileSync(join(root, name), 'utf8')
        .replace(/\n\s+(?=-f )/g, ' ')
        .replace(/\$\{\{ matrix\.shard \}\}/g, '1')
      const found = text.matchAll(
        /(?:^\s*\$ |run: (?:>-\s+)?|^ +- |&& |^)(?:npx (?:--yes )?)?lipschitz(?:@[\d.]+)? (.*)$/gm,
      )
      return [...found].map(([, line]): [string, string[]] => [name, toWords(line)])
    })
}

/** Words of a shell's command line up to a comment, a pipe or a redirection. */
function toWords(line: string): string[] {
  const words = line.match(/"[^"]*"|'[^']*'|[^\s'")]+/g) ?? []
  const end = words.findIndex((word) => /^[#|>]/.test(word) || word.startsWith('2>'))
  return (end < 0 ? words : words.slice(0, end)).map((word) => word.replace(/^['"]|['"]$/g, ''))
}

describe('command lines', () => {
  const lines = commandLines()

  it('are found', () => {
    expect(lines.length).toBeGreaterThan(40)
    expect(lines.filter(([name]) => name.startsWith('examples')).length).toBeGreaterThan(6)
  })

  it.each(lines)('of %s are understood: %j', (_, words) => {
    const invocation = parseArguments(words)
    if (invocation.command === 'audit') readSettings([invocation.flags])
  })
})

describe('the configuration', () => {
  it('is accepted', async () => {
    const path = join(examples, 'configuration/lipschitz.config.json')
    const config = await validateConfig(path, JSON.parse(readFileSync(path, 'utf8')))
    expect(config.models).toHaveLength(2)
  })
})

describe('the history', () => {
  const script = join(examples, 'history/history.mjs')

  it('gathers lines and draws them', () => {
    const history = join(folder, 'history.jsonl')
    const stored = join(folder, 'report.json')
    for (const [commit, value] of [
      ['a1', 100],
      ['b2', 1000],
      ['c3<', 10],
    ] as const) {
      const { lipschitz } = sampleModel()
      const model = sampleModel({ path: 'a&b.onnx', lipschitz: { ...lipschitz, upper: bound(value) } })
      writeFileSync(stored, renderJson(sampleReport([model])))
      execFileSync(process.execPath, [script, 'add', stored, history, commit])
    }
    const svg = execFileSync(process.execPath, [script, 'draw', history], { encoding: 'utf8' })
    expect(svg.match(/<circle/g)).toHaveLength(3)
    const heights = [...svg.matchAll(/cy="([\d.]+)"/g)].map(([, y]) => Number(y))
    expect(heights[1]).toBeLessThan(heights[0])
    expect(heights[2]).toBeGreaterThan(heights[0])
    expect(svg).toContain('a&#38;b.onnx')
    expect(svg).toContain('c3&#60;')
  })

  it('goes through the commits that changed a model', () => {
    const repository = join(folder, 'repository')
    mkdirSync(repository)
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { cwd: repository })
    git('init', '-q')
    for (const [name, content] of [
      ['net.onnx', '1'],
      ['other', '2'],
      ['net.onnx', '3'],
    ]) {
      writeFileSync(join(repository, name), content)
      git('add', '.')
      git('commit', '-q', '-m', name)
    }
    const fake = join(folder, 'fake.mjs')
    const text = `import{writeFileSync}from'fs';writeFileSync(process.argv.at(-1).slice(5),${JSON.stringify(renderJson(sampleReport()))})`
    writeFileSync(fake, text)
    const lines = execFileSync(join(examples, 'history/history.sh'), ['HEAD', 'net.onnx'], {
      cwd: repository,
      encoding: 'utf8',
      env: { ...process.env, LIPSCHITZ: `${process.execPath} ${fake}` },
    })
    expect(
      lines
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).models['net.onnx'].log10),
    ).toHaveLength(2)
  })
})

describe.skipIf(!has('promtool'))('rules for Prometheus', () => {
  it.each([
    ['check', 'config', 'prometheus.yml'],
    ['check', 'rules', 'rules.yml'],
    ['test', 'rules', 'rules.test.yml'],
  ])('%s %s %s', (...args) => {
    const { status, stdout, stderr } = spawnSync('promtool', args, {
      cwd: join(examples, 'prometheus'),
      encoding: 'utf8',
    })
    expect(status, stdout + stderr).toBe(0)
  })

  it('ask for gauges that there are', () => {
    const text = readFileSync(join(examples, 'prometheus/rules.yml'), 'utf8')
    for (const name of text.match(/\blipschitz_\w+/g) ?? []) expect(gaugeNames).toContain(name)
  })
})

function freePort(): Promise<number> {
  return new Promise((done) => {
    const socket = createSocket().listen(0, '127.0.0.1', () => {
      const { port } = socket.address() as AddressInfo
      socket.close(() => done(port))
    })
  })
}

describe.skipIf(!has('prometheus'))('a real Prometheus', () => {
  it.each(['text/plain; version=0.0.4', 'application/openmetrics-text; version=1.0.0'])(
    'scrapes the gauges as %s and answers every query of the dashboard',
    async (type) => {
      const site = createServer((_, response) => response.setHeader('content-type', type).end(gauges))
      await new Promise<void>((done) => site.listen(0, '127.0.0.1', done))
      const { port } = site.address() as AddressInfo
      const data = mkdtempSync(join(tmpdir(), 'prometheus-'))
      const config = readFileSync(join(examples, 'prometheus/prometheus.yml'), 'utf8')
        .replace('127.0.0.1:8000', `127.0.0.1:${port}`)
        .replace('scrape_interval: 1m', 'scrape_interval: 1s')
      writeFileSync(join(data, 'prometheus.yml'), config)
      writeFileSync(join(data, 'rules.yml'), readFileSync(join(examples, 'prometheus/rules.yml')))
      const address = `127.0.0.1:${await freePort()}`
      const server = spawn(
        'prometheus',
        [
          `--config.file=${data}/prometheus.yml`,
          `--storage.tsdb.path=${data}`,
          `--web.listen-address=${address}`,
        ],
        { stdio: 'ignore' },
      )
      const ended = new Promise((done) => server.on('close', done))
      const ask = async (query: string): Promise<{ metric: object; value: [number, string] }[]> => {
        const response = await fetch(
          `http://${address}/api/v1/query?query=${encodeURIComponent(query)}`,
        ).catch(() => null)
        if (!response?.ok) return []
        const { status, data } = (await response.json()) as { status: string; data: { result: [] } }
        expect(status).toBe('success')
        return data.result
      }
      try {
        while ((await ask('lipschitz_bound')).length === 0) await setTimeout(200)
        const [upper] = await ask('lipschitz_bound{kind="upper"}')
        expect(Number(upper.value[1])).toBe(500 / 3)
        expect(upper.metric).toMatchObject({ model: 'net.onnx', norm: 'l2' })
        for (const query of queries) expect((await ask(query)).length, query).toBeGreaterThan(0)
      } finally {
        server.kill()
        await ended
        site.close()
      }
    },
    60_000,
  )
})
