// Builds dist/: WebAssembly kernels, one bundle for each entry with what it shares, declarations, licences.
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const run = (name, ...args) =>
  execFileSync(join(root, 'node_modules/.bin', name), args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })

// Flat, so that a file finds its neighbours (worker, kernels, the page of a report) from whatever chunk it ends up in.
const entries = { run: 'src/cli/run.ts', index: 'src/index.ts', worker: 'src/norms/worker.ts' }

async function bundle() {
  const build = await rolldown({ cwd: root, input: entries, platform: 'node', external: ['zod'] })
  const { output } = await build.write({
    dir: join(root, 'dist'),
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
  })
  await build.close()
  return output.flatMap((chunk) => Object.keys(chunk.modules ?? {}))
}

/** Leaves those declarations that the package's types are made of. */
function pruneDeclarations(folder, entry) {
  const reached = new Set()
  const pending = [join(folder, entry)]
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    if (reached.has(file)) continue
    reached.add(file)
    for (const [, target] of readFileSync(file, 'utf8').matchAll(/from '(\.[^']+)'/g)) {
      pending.push(join(dirname(file), target.replace(/\.(js|ts)$/, '.d.ts')))
    }
  }
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })) {
    const path = join(file.parentPath, file.name)
    if (file.isFile() && !reached.has(path)) rmSync(path)
  }
}

/** The licences of the packages that are bundled, each once. */
function licences(modules) {
  const folders = new Set(
    modules.map((file) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]).filter(Boolean),
  )
  const texts = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
    const text = file === undefined ? '' : `\n\n${readFileSync(join(folder, file), 'utf8').trim()}`
    return `${name} ${version} (${license})${text}`
  })
  return `dist/ holds code of these packages.\n\n${texts.join('\n\n---\n\n')}\n`
}

rmSync(join(root, 'dist'), { recursive: true, force: true })
run('asc', 'assembly/kernels.ts', '--config', 'assembly/asconfig.json', '--target', 'release')
run('tsc', '-p', 'tsconfig.build.json')
pruneDeclarations(join(root, 'dist/types'), 'index.d.ts')
writeFileSync(join(root, 'dist/licences.txt'), licences(await bundle()))
copyFileSync(join(root, 'src/linalg/kernels.wasm'), join(root, 'dist/kernels.wasm'))
cpSync(join(root, 'src/report/html/page'), join(root, 'dist/page'), {
  recursive: true,
  filter: (file) => !file.endsWith('.json'),
})
if (existsSync(join(root, 'bin/lipschitz.js'))) chmodSync(join(root, 'bin/lipschitz.js'), 0o755)
