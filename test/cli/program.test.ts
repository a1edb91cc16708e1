import { describe, expect, it } from 'vitest'
import { parseArguments, suggestCommand } from '../../src/cli/program.ts'

describe('parseArguments', () => {
  it('takes audit as the default command', () => {
    expect(parseArguments(['a.onnx', 'b.onnx'])).toMatchObject({
      command: 'audit',
      models: ['a.onnx', 'b.onnx'],
    })
    expect(parseArguments(['audit', '--top', '3', 'a.onnx'])).toMatchObject({
      command: 'audit',
      models: ['a.onnx'],
    })
    expect(parseArguments(['--json', 'a.onnx'])).toMatchObject({ command: 'audit', models: ['a.onnx'] })
  })

  it('knows the other commands', () => {
    expect(parseArguments(['inspect', 'a.onnx'])).toMatchObject({ command: 'inspect', model: 'a.onnx' })
    expect(parseArguments(['schema', 'report'])).toEqual({ command: 'schema', name: 'report' })
    expect(parseArguments(['report', 'r.json'])).toMatchObject({ command: 'report', path: 'r.json' })
    expect(parseArguments(['explain'])).toEqual({ command: 'explain', rule: undefined })
    expect(parseArguments(['completion', 'zsh'])).toEqual({ command: 'completion', shell: 'zsh' })
  })

  it.each([
    [['--max-lipshitz', '3', 'a.onnx'], "unknown option '--max-lipshitz' (did you mean --max-lipschitz?)"],
    [['inspect'], 'no model is given'],
    [['a.onnx', '--top'], "option '--top <n>' argument missing"],
    [['inspect', 'a.onnx', 'b.onnx'], 'too many arguments'],
    [['schema'], "missing required argument 'name'"],
  ])('refuses %j in one line', (argv, message) => {
    expect(() => parseArguments(argv)).toThrow(
      expect.objectContaining({ code: 'usage', message: expect.stringContaining(message) }),
    )
    expect(() => parseArguments(argv)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('\n') }),
    )
  })

  it('prints help with groups, examples and exit codes', () => {
    const help = parseArguments(['audit', '--help'])
    if (help.command !== 'print') throw new Error('no help')
    for (const part of [
      'Gates:',
      'Proofs:',
      'Examples:',
      'Exit codes:',
      '130  interrupted',
      '--[no-]color',
      'Formats:',
    ]) {
      expect(help.text).toContain(part)
    }
    expect(parseArguments(['--help'])).toMatchObject({
      command: 'print',
      text: expect.stringContaining('Exit codes:'),
    })
    expect(parseArguments(['--version'])).toEqual({
      command: 'print',
      text: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    })
  })
})

describe('suggestCommand', () => {
  it('finds the command that was meant', () => {
    expect(suggestCommand('adit')).toBe('audit')
    expect(suggestCommand('inpsect')).toBe('inspect')
    expect(suggestCommand('model.onnx')).toBeNull()
  })
})
