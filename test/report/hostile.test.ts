import { describe, expect, it } from 'vitest'
import { formatNames, formats } from '../../src/report/renderer.ts'
import { hostileNames, hostileReport, unprintable } from './hostile.ts'
import { plain } from './sample.ts'

const label = (name: string) => JSON.stringify(name).slice(0, 50)

describe.each(formatNames)('hostile names in %s', (format) => {
  it.each(hostileNames.map((name) => [label(name), name] as const))('%s is inert', async (_, name) => {
    const render = await formats[format].load()
    const text = render(hostileReport(name), plain).replaceAll('\r\n', '\n')
    expect(unprintable.exec(text)).toBeNull()
    expect(text).toMatch(/\n$/)
    if (format !== 'json') expect(text.length).toBeLessThan(200_000)
  })
})
