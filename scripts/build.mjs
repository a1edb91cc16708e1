// Builds dist/: WebAssembly kernels, bundles with what they use, declarations, licences, code cache.
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
// Built aside and put in place at the end: whoever runs the program meanwhile finds it whole.
const target = join(root, `dist-${process.pid}`)
const run = (name, ...args) =>
  execFileSync(join(root, 'node_modules/.bin', name), args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })

// Flat, so that a file finds its neighbours (worker, kernels, the page of a report) from whatever file it ends up in.
const library = {
  input: { index: 'src/index.ts', worker: 'src/norms/worker.ts' },
  external: ['zod'],
  output: { format: 'esm', entryFileNames: '[name].js', chunkFileNames: '[name].js' },
}
// One file, as a script: that is what V8's code cache works on. zod is inside, for what is outside is loaded at once.
const program = {
  input: { cli: 'src/cli/run.ts' },
  external: [],
  output: { format: 'cjs', entryFileNames: '[name].cjs', codeSplitting: false, comments: false },
}

/** The script in ASCII, its other characters escaped: V8 then keeps it, as it was read, in one byte a character. */
function escapeToAscii(file) {
  const escaped = (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/[^\0-\x7f]/g, escaped), 'latin1')
}

async function bundle({ input, output, external }) {
  const build = await rolldown({ cwd: root, input, platform: 'node', external })
  const written = await build.write({ dir: target, ...output })
  await build.close()
  return written.output.flatMap((chunk) => Object.keys(chunk.modules ?? {}))
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

try {
  run('asc', 'assembly/kernels.ts', '--config', 'assembly/asconfig.json', '--target', 'release')
  run('tsc', '-p', 'tsconfig.build.json', '--outDir', join(target, 'types'))
  pruneDeclarations(join(target, 'types'), 'index.d.ts')
  writeFileSync(
    join(target, 'licences.txt'),
    licences([...(await bundle(library)), ...(await bundle(program))]),
  )
  escapeToAscii(join(target, 'cli.cjs'))
  copyFileSync(join(root, 'src/linalg/kernels.wasm'), join(target, 'kernels.wasm'))
  cpSync(join(root, 'src/report/html/page'), join(target, 'page'), {
    recursive: true,
    filter: (file) => !file.endsWith('.json'),
  })
  rmSync(join(root, 'dist'), { recursive: true, force: true })
  renameSync(target, join(root, 'dist'))
} finally {
  rmSync(target, { recursive: true, force: true })
}
chmodSync(join(root, 'bin/lipschitz.js'), 0o755)
execFileSync(process.execPath, [join(root, 'scripts/code-cache.mjs')], {
  cwd: root,
  stdio: ['ignore', 'ignore', 'inherit'],
})
