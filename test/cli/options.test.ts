import { describe, expect, it } from 'vitest'
import { environmentSource, readSettings } from '../../src/cli/options.ts'
import { parseArguments } from '../../src/cli/program.ts'

function settings(argv: readonly string[], environment: Record<string, string> = {}) {
  const invocation = parseArguments(argv)
  if (invocation.command !== 'audit') throw new Error(`not an audit: ${invocation.command}`)
  return readSettings([invocation.flags, environmentSource(environment)])
}

describe('settings', () => {
  it('are empty where nothing is given: defaults belong to whoever uses them', () => {
    expect(settings(['net.onnx'])).toEqual({})
  })

  it('come from flags', () => {
    expect(
      settings([
        'net.onnx',
        '--max-lipschitz',
        '1e2',
        '--max-layer=1.5',
        '--no-exit-code',
        '--no-progress',
        '-q',
        '--no-color',
      ]),
    ).toEqual({
      maxLipschitz: 100,
      maxLayer: 1.5,
      exitCode: false,
      progress: false,
      quiet: true,
      color: false,
    })
  })

  it('collect repeated flags', () => {
    expect(settings(['a.onnx', '-f', 'table', '-f', 'json:x.json', '--input', 'x', '--input', 'y'])).toEqual({
      format: [
        { name: 'table', path: null },
        { name: 'json', path: 'x.json' },
      ],
      input: ['x', 'y'],
    })
  })

  it('come from the environment, and flags win', () => {
    const environment = { LIPSCHITZ_MAX_LIPSCHITZ: '5', LIPSCHITZ_TOP: '3', LIPSCHITZ_EXIT_CODE: '0' }
    expect(settings(['a.onnx', '--max-lipschitz', '7'], environment)).toEqual({
      maxLipschitz: 7,
      top: 3,
      exitCode: false,
    })
  })

  it('take where the report goes from one source alone', () => {
    const environment = { LIPSCHITZ_FORMAT: 'table', LIPSCHITZ_OUTPUT: 'report.txt' }
    expect(settings(['a.onnx', '--json'], environment)).toEqual({ json: true })
    expect(settings(['a.onnx'], environment)).toEqual({
      format: [{ name: 'table', path: null }],
      output: 'report.txt',
    })
  })

  it('read lists in the environment at semicolons', () => {
    expect(settings(['a.onnx'], { LIPSCHITZ_INPUT_SHAPE: 'x=1,3;y=2' }).inputShape).toEqual([
      { name: 'x', dims: [1, 3] },
      { name: 'y', dims: [2] },
    ])
  })

  it('ignore empty variables and others of the prefix', () => {
    expect(settings(['a.onnx'], { LIPSCHITZ_TOP: '', LIPSCHITZ_HOME: '/x' })).toEqual({})
  })

  it('name the source of a bad value', () => {
    expect(() => settings(['a.onnx'], { LIPSCHITZ_MAX_LAYER: 'x' })).toThrow('LIPSCHITZ_MAX_LAYER expects')
    expect(() => settings(['a.onnx', '--max-layer', 'x'], { LIPSCHITZ_MAX_LAYER: '1' })).toThrow(
      '--max-layer expects',
    )
  })

  it('do not look at a bad value that is overruled', () => {
    expect(settings(['a.onnx', '--top', '2'], { LIPSCHITZ_TOP: 'x' })).toEqual({ top: 2 })
  })
})
