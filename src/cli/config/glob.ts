const SPECIAL = /[\\^$.|?*+()[\]{}]/g

/** The regular expression of one part of a pattern: `*`, `?`, `{a,b}`, and `**` for any number of folders. */
function translate(pattern: string): string {
  let text = ''
  let braces = 0
  for (let i = 0; i < pattern.length; i++) {
    const rest = pattern.slice(i)
    const character = pattern[i]
    if (rest.startsWith('**/')) {
      text += '(?:[^/]*/)*'
      i += 2
    } else if (rest.startsWith('**')) {
      text += '.*'
      i++
    } else if (character === '*') text += '[^/]*'
    else if (character === '?') text += '[^/]'
    else if (character === '{' && rest.includes('}')) {
      text += '(?:'
      braces++
    } else if (character === '}' && braces > 0) {
      text += ')'
      braces--
    } else if (character === ',' && braces > 0) text += '|'
    else text += character.replace(SPECIAL, '\\$&')
  }
  return text + ')'.repeat(braces)
}

/**
 * Whether a path or a node's name matches: `*` and `?` within a part, `**` across parts, `{a,b}` either. A pattern
 * without a slash is held against the last part alone.
 */
export function matcher(patterns: string | readonly string[]): (name: string) => boolean {
  const tests = (typeof patterns === 'string' ? [patterns] : patterns).map((pattern) => {
    const expression = new RegExp(`^${translate(pattern.replace(/^\.\//, ''))}$`, 's')
    return pattern.includes('/')
      ? (name: string) => expression.test(name)
      : (name: string) => expression.test(name.slice(name.lastIndexOf('/') + 1))
  })
  return (name) => tests.some((test) => test(name))
}
