import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { buildWhereStale } from './cli/built-program.ts'

const root = resolve(import.meta.dirname, '..')
const manifest = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8'))

function packedFiles(): string[] {
  const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const packed = JSON.parse(output)
  const [entry] = Array.isArray(packed) ? packed : Object.values(packed)
  return (entry as { files: { path: string }[] }).files.map(({ path }) => path)
}

describe('the package', () => {
  buildWhereStale()
  const files = packedFiles()

  it('holds what a user needs', () => {
    for (const needed of [
      'package.json',
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
      manifest.bin.lipschitz,
      // makes the scripts beside it CommonJS
      'bin/package.json',
      'schema/report-v1.json',
    ]) {
      expect(files).toContain(needed)
    }
    for (const needed of [
      'cli.cjs',
      'cli.cache',
      'index.js',
      'worker.js',
      'kernels.wasm',
      'licences.txt',
      'types/index.d.ts',
    ]) {
      expect(files).toContain(`dist/${needed}`)
    }
  })

  it('holds nothing else', () => {
    const expected =
      /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|bin\/((lipschitz|load)\.js|package\.json)|schema\/[\w-]+\.json|dist\/[\w-]+\.(js|cjs|cache|wasm)|dist\/licences\.txt|dist\/page\/[\w-]+\.(css|js)|docs\/findings\/[\w-]+\.md|dist\/types\/(index|(audit|audit\/diff|core|edit)\/[\w-]+|bounds\/effort|norms\/measurement|onnx\/read-options)\.d\.ts)$/
    expect(files.filter((file) => !expected.test(file))).toEqual([])
  })

  it('pins every dependency and runs on Node 20', () => {
    const versions = Object.values({ ...manifest.dependencies, ...manifest.devDependencies })
    expect(versions.filter((version) => !/^\d+\.\d+\.\d+(-beta\.\d+)?$/.test(version as string))).toEqual([])
    expect(manifest.engines.node).toMatch(/^>=20/)
  })

  it('needs one package at run time: what draws and parses is bundled', () => {
    expect(Object.keys(manifest.dependencies)).toEqual(['zod'])
  })
})
