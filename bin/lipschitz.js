#!/usr/bin/env node
import { loadProgram } from './load.js'

await loadProgram().run()
