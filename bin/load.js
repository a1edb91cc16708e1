import { readFileSync } from 'node:fs'
import { createRequire, Module } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { constants, Script } from 'node:vm'

const folder = join(dirname(fileURLToPath(import.meta.url)), '../dist')
const file = join(folder, 'cli.cjs')

export const cacheFile = join(folder, 'cli.cache')

function readCache() {
  try {
    return readFileSync(cacheFile)
  } catch {
    return undefined
  }
}

/**
 * Loads the program with V8's code cache from the build, which halves its own start-up time. Another version of V8
 * rejects the cache and compiles as it goes along.
 */
export function loadProgram() {
  const script = new Script(Module.wrap(readFileSync(file, 'utf8')), {
    filename: file,
    cachedData: readCache(),
    importModuleDynamically: constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  })
  const program = { exports: {} }
  script.runInThisContext()(program.exports, createRequire(file), program, file, folder)
  return { script, run: program.exports.run }
}
