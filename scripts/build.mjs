// Builds dist/: WebAssembly kernels, then TypeScript, then the files that tsc does not emit.
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const bin = (name) => join(root, 'node_modules', '.bin', name)
const run = (name, ...args) =>
  execFileSync(bin(name), args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' })

const copied = ['onnx/generated/onnx.js', 'onnx/generated/onnx.d.ts', 'linalg/kernels.wasm']

rmSync(join(root, 'dist'), { recursive: true, force: true })
if (existsSync(join(root, 'assembly/kernels.ts'))) {
  run('asc', 'assembly/kernels.ts', '--config', 'assembly/asconfig.json', '--target', 'release')
}
run('tsc', '-p', 'tsconfig.build.json')
for (const file of copied) {
  if (!existsSync(join(root, 'src', file))) continue
  mkdirSync(dirname(join(root, 'dist', file)), { recursive: true })
  copyFileSync(join(root, 'src', file), join(root, 'dist', file))
}
if (existsSync(join(root, 'bin/lipschitz.js'))) chmodSync(join(root, 'bin/lipschitz.js'), 0o755)
