// CommonJS: the loader of ES modules alone would take as long as the program's own code.
const { readFileSync } = require('node:fs')
const { createRequire, Module } = require('node:module')
const { dirname, join } = require('node:path')
const { constants, Script } = require('node:vm')

const folder = join(dirname(__dirname), 'dist')
const file = join(folder, 'cli.cjs')
const cacheFile = join(folder, 'cli.cache')

function readCache() {
  try {
    return readFileSync(cacheFile)
  } catch {
    return undefined
  }
}

/**
 * Loads the program with V8's code cache from the build, which halves its own start-up time. Another version of V8
 * rejects the cache and compiles as it goes along. The build writes the program in ASCII: nothing has to be decoded.
 */
function loadProgram() {
  const script = new Script(Module.wrap(readFileSync(file, 'latin1')), {
    filename: file,
    cachedData: readCache(),
    importModuleDynamically: constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  })
  const program = { exports: {} }
  script.runInThisContext()(program.exports, createRequire(file), program, file, folder)
  return { script, run: program.exports.run }
}

module.exports = { cacheFile, loadProgram }
