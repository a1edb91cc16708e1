#!/usr/bin/env node
const { setFlagsFromString } = require('node:v8')
const { loadProgram } = require('./load.js')

const { run } = loadProgram()
// After loading: V8 takes a code cache only for the flags that it was written under. By default V8 optimises functions
// that have hardly begun to run; small networks are audited before that pays, and the kernels of large ones are compiled.
setFlagsFromString('--interrupt-budget=1000000')
run()
