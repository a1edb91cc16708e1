#!/usr/bin/env node
const { loadProgram } = require('./load.js')

loadProgram().run()
