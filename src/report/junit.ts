import type { ModelError, ModelReport, Report } from '../audit/report-schema.ts'
import { describeObstacle } from './bound-words.ts'
import { displayMessage, displayName } from './display-name.ts'
import { describeGate } from './gate-words.ts'
import { modelName } from './model-names.ts'
import { formatBound } from './numbers.ts'
import type { RenderOptions } from './renderer.ts'
import { element, escapeXml } from './xml.ts'

type Outcome = 'passed' | 'failure' | 'error' | 'skipped'

interface Test {
  readonly name: string
  readonly outcome: Outcome
  readonly message: string
  readonly details: readonly string[]
}

/** The audit itself as a test: it passes where the model could be read, whatever its gates say. */
function auditTest({ lipschitz: { upper } }: ModelReport): Test {
  const bound = upper.unbounded
    ? `no certificate: ${describeObstacle(upper)}`
    : `Lipschitz constant ≤ ${formatBound(upper)}`
  return { name: 'audit', outcome: 'passed', message: '', details: [bound] }
}

function gateTests(model: ModelReport, { inconclusive }: RenderOptions): Test[] {
  return model.gates.map((gate) => {
    const { claim, found, help } = describeGate(gate, model)
    const isMild = gate.ignored !== undefined || (gate.verdict === 'inconclusive' && inconclusive === 'warn')
    const outcome = gate.verdict === 'pass' ? 'passed' : isMild ? 'skipped' : 'failure'
    const message = `${claim}: ${found}`
    return {
      name: displayName(gate.rule),
      outcome,
      message,
      details: gate.verdict === 'pass' ? [message] : [message, ...help],
    }
  })
}

function errorTest({ code, message, hint, node, tensor }: ModelError): Test {
  const places = [node, tensor, hint].filter((fact) => fact !== undefined)
  return {
    name: 'audit',
    outcome: 'error',
    message: `${displayName(code)}: ${displayMessage(message)}`,
    details: [displayMessage(message), ...places.map(displayMessage)],
  }
}

function testCase({ name, outcome, message, details }: Test, classname: string): string {
  const text = escapeXml(details.join('\n'))
  const result =
    outcome === 'passed'
      ? element('system-out', {}, [text])
      : element(outcome, outcome === 'skipped' ? { message } : { type: name, message }, [text])
  return `    ${element('testcase', { name, classname }, [result])}\n`
}

interface Counts {
  readonly tests: number
  readonly failures: number
  readonly errors: number
  readonly skipped: number
}

function count(tests: readonly Test[]): Counts {
  const of = (outcome: Outcome) => tests.filter((test) => test.outcome === outcome).length
  return { tests: tests.length, failures: of('failure'), errors: of('error'), skipped: of('skipped') }
}

function suite(name: string, tests: readonly Test[]): string {
  const cases = tests.map((test) => testCase(test, name))
  return `  ${element('testsuite', { name, ...count(tests) }, ['\n', ...cases, '  '])}\n`
}

/** One test suite per model; one test case for its audit, and one for each gate. There are no times in it. */
export function renderJunit(report: Report, options: RenderOptions): string {
  const suites = [
    ...report.models.map((model) => ({
      name: modelName(model.path, options),
      tests: [auditTest(model), ...gateTests(model, options)],
    })),
    ...report.errors.map((error) => ({ name: modelName(error.path, options), tests: [errorTest(error)] })),
  ]
  const { tests, failures, errors } = count(suites.flatMap((each) => each.tests))
  const content = suites.map((each) => suite(each.name, each.tests))
  const root = element('testsuites', { name: report.tool.name, tests, failures, errors }, ['\n', ...content])
  return `<?xml version="1.0" encoding="UTF-8"?>\n${root}\n`
}
