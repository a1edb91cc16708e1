import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

/** Which folders of src each folder may import from, itself included. Imports run only downward. */
const allowed: Record<string, readonly string[]> = {
  core: ['core'],
  onnx: ['onnx', 'core'],
  linalg: ['linalg', 'core'],
  graph: ['graph', 'onnx', 'core'],
  ops: ['ops', 'graph', 'linalg', 'onnx', 'core'],
  infer: ['infer', 'ops', 'graph', 'linalg', 'onnx', 'core'],
  calculus: ['calculus', 'infer', 'ops', 'graph', 'linalg', 'onnx', 'core'],
  norms: ['norms', 'calculus', 'infer', 'ops', 'graph', 'linalg', 'onnx', 'core'],
  bounds: ['bounds', 'calculus', 'infer', 'ops', 'graph', 'linalg', 'onnx', 'core'],
  audit: ['audit', 'bounds', 'norms', 'calculus', 'infer', 'ops', 'graph', 'linalg', 'onnx', 'core'],
  edit: ['edit', 'audit', 'bounds', 'norms', 'infer', 'ops', 'graph', 'linalg', 'onnx', 'core'],
  report: ['report', 'core'],
  cli: [
    'cli',
    'report',
    'edit',
    'audit',
    'bounds',
    'norms',
    'calculus',
    'infer',
    'ops',
    'graph',
    'linalg',
    'onnx',
    'core',
  ],
}

const source = resolve(import.meta.dirname, '../src')

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .map((file) => join(folder, file))
}

function importsOf(file: string): { target: string; typeOnly: boolean; lazy: boolean }[] {
  const text = readFileSync(file, 'utf8')
  const found = text.matchAll(
    /^\s*(?:import|export)\s+(type\s)?[^'"]*?from\s+'(\.[^']+)'|import\('(\.[^']+)'\)/gm,
  )
  return [...found].map((match) => ({
    typeOnly: match[1] !== undefined,
    lazy: match[2] === undefined,
    target: resolve(dirname(file), match[2] ?? match[3]),
  }))
}

describe('layering', () => {
  const files = filesBelow(source)

  it('finds the source', () => {
    expect(files.length).toBeGreaterThan(10)
  })

  it('has every folder of src in the table', () => {
    const folders = readdirSync(source, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    expect(folders.map((entry) => entry.name).filter((name) => !(name in allowed))).toEqual([])
  })

  it('imports only downward', () => {
    const upward: string[] = []
    for (const file of files) {
      const from = relative(source, file).split('/')[0]
      if (!(from in allowed)) continue
      for (const { target, typeOnly } of importsOf(file)) {
        const to = relative(source, target).split('/')[0]
        const reportReadsTypes = from === 'report' && to === 'audit' && typeOnly
        if (!allowed[from].includes(to) && !reportReadsTypes)
          upward.push(`${relative(source, file)} -> ${relative(source, target)}`)
      }
    }
    expect(upward).toEqual([])
  })

  it('has no file that needs itself through others, types included', () => {
    const needs = new Map(
      files.map((file) => [file, importsOf(file).flatMap(({ target, lazy }) => (lazy ? [] : [target]))]),
    )
    const settled = new Set<string>()
    // files settle once all that they need are: what never does stands on a circle, or above one
    for (let before = -1; before < settled.size; ) {
      before = settled.size
      for (const [file, targets] of needs)
        if (targets.every((target) => settled.has(target) || !needs.has(target))) settled.add(file)
    }
    expect(files.filter((file) => !settled.has(file)).map((file) => relative(source, file))).toEqual([])
  })

  it('touches process and console in cli alone', () => {
    // Lanczos and other iterations may call a variable `process`: what counts are the properties of Node's
    const global =
      /\bconsole\.|\bprocess\.(argv|env|exit|exitCode|stdin|stdout|stderr|cwd|on|once|platform|kill|nextTick)\b|from 'node:process'/
    const touching = files
      .filter((file) => !relative(source, file).startsWith('cli/'))
      .filter((file) => global.test(readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')))
    expect(touching.map((file) => relative(source, file))).toEqual([])
  })
})
