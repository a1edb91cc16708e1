import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Report } from '../../../src/audit/report-schema.ts'
import { renderHtml } from '../../../src/report/html/html.ts'
import { hostileNames, hostileReport } from '../hostile.ts'
import { plain, sampleReport } from '../sample.ts'
import { deep, named, traced } from './network.ts'

const executablePath = '/usr/bin/chromium'
const switches = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** An open page, and everything that it complained of, asked for or ran besides itself. */
interface Visit {
  readonly page: Page
  readonly troubles: readonly string[]
}

describe.skipIf(!existsSync(executablePath))('in a browser', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lipschitz-page-'))
  let browser: Browser
  let written = 0

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, headless: true, args: switches })
  })
  afterAll(async () => {
    await browser.close()
    rmSync(folder, { recursive: true })
  })

  async function visit(report: Report, options: BrowserContextOptions = {}): Promise<Visit> {
    const path = join(folder, `${++written}.html`)
    writeFileSync(path, renderHtml(report, plain))
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
    const page = await context.newPage()
    const troubles: string[] = []
    const url = pathToFileURL(path).href
    page.on('console', (message) => troubles.push(message.text()))
    page.on('pageerror', (error) => troubles.push(error.message))
    page.on('dialog', (dialog) => {
      troubles.push('a dialog')
      void dialog.dismiss()
    })
    page.on('request', (request) => {
      if (request.url() !== url) troubles.push(request.url())
    })
    await page.goto(url)
    return { page, troubles }
  }

  const ranks = (page: Page) =>
    page
      .locator('.layers tbody tr:visible .rank')
      .evaluateAll((cells) => cells.map((cell) => Number(cell.textContent)))

  const isScrolledAway = (page: Page) =>
    page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth')

  it('opens without a complaint or a request', async () => {
    const { page, troubles } = await visit(sampleReport([traced(), deep(120)]))
    expect(await page.locator('article').count()).toBe(2)
    expect(troubles).toEqual([])
    await page.context().close()
  })

  it('refuses what is not its own', async () => {
    const { page } = await visit(sampleReport([traced()]))
    const ran = await page.evaluate(`(() => {
      const script = document.createElement('script')
      script.textContent = 'window.intruder = true'
      document.body.append(script)
      return 'intruder' in window
    })()`)
    expect(ran).toBe(false)
    await page.context().close()
  })

  it('runs nothing that a name holds', async () => {
    const reports = hostileNames.map((name) => named(hostileReport(name), name))
    const [models, errors] = [
      reports.flatMap((report) => report.models),
      reports.flatMap((report) => report.errors),
    ]
    const { page, troubles } = await visit({ ...reports[0], models, errors })
    expect(troubles).toEqual([])
    expect(await page.locator('article').count()).toBe(2 * hostileNames.length)
    expect(await page.locator('script').count()).toBe(1)
    expect(await page.locator('img, iframe, object').count()).toBe(0)
    expect(await isScrolledAway(page)).toBe(false)
    await page.context().close()
  })

  it('sorts by keyboard, either way, and says how', async () => {
    const { page } = await visit(sampleReport([traced()]))
    const heading = page.locator('th', { has: page.getByRole('button', { name: '‖A‖₂ upper' }) })
    await heading.getByRole('button').focus()
    await page.keyboard.press('Enter')
    expect(await heading.getAttribute('aria-sort')).toBe('descending')
    expect(await ranks(page)).toEqual([1, 2, 3])
    await page.keyboard.press('Space')
    expect(await heading.getAttribute('aria-sort')).toBe('ascending')
    expect(await ranks(page)).toEqual([3, 2, 1])
    await page.context().close()
  })

  it('filters as one types, and says how many are left', async () => {
    const { page } = await visit(sampleReport([deep(120)]))
    expect(await ranks(page)).toHaveLength(25)
    await page.getByRole('searchbox').focus()
    await page.keyboard.type('layers.11')
    expect(await ranks(page)).toEqual([12, 111, 112, 113, 114, 115, 116, 117, 118, 119, 120])
    expect(await page.locator('output').textContent()).toBe('11 of 120 layers')
    await page.keyboard.press('Control+A')
    await page.keyboard.press('Delete')
    await page.getByRole('button', { name: 'Show all 120 layers' }).press('Enter')
    expect(await ranks(page)).toHaveLength(120)
    await page.context().close()
  })

  it('leads from the graph to a row that was folded away', async () => {
    const { page } = await visit(sampleReport([deep(120)]))
    const row = page.locator('#m1-l100')
    expect(await row.isVisible()).toBe(false)
    await page.locator('a.block[href="#m1-l100"]').focus()
    await page.keyboard.press('Enter')
    await row.waitFor({ state: 'visible' })
    expect(await row.evaluate((element) => element.matches(':target'))).toBe(true)
    await page.context().close()
  })

  it('reads without scripts, with every row', async () => {
    const { page, troubles } = await visit(sampleReport([deep(120)]), { javaScriptEnabled: false })
    expect(await page.locator('.layers tbody tr').count()).toBe(120)
    expect(await page.locator('.layers tbody tr').last().isVisible()).toBe(true)
    expect(await page.getByRole('searchbox').isVisible()).toBe(false)
    expect(await page.locator('svg.growth').isVisible()).toBe(true)
    await page.getByText('steps as a table').click()
    expect(await page.locator('.steps').isVisible()).toBe(true)
    expect(troubles).toEqual([])
    await page.context().close()
  })

  it.each([390, 768, 1280])('fits %i pixels', async (width) => {
    const { page } = await visit(sampleReport([traced(), deep(120)]), { viewport: { width, height: 800 } })
    expect(await isScrolledAway(page)).toBe(false)
    await page.context().close()
  })

  describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
    it('has contrast for every text (WCAG AA)', async () => {
      const findings = [
        { rule: 'wide-enclosure', level: 'warning', message: 'wide' },
        { rule: 'unbounded-op', level: 'error', message: 'lost' },
        { rule: 'any-size', level: 'note', message: 'any' },
      ] as const
      const gates = (['pass', 'fail', 'inconclusive'] as const).map((verdict) => ({
        rule: 'max-layer',
        limit: 1,
        lower: 2,
        upper: 3,
        verdict,
      }))
      const lost = named(sampleReport([traced({ findings: [...findings], gates })]), 'name')
      const { page } = await visit({ ...lost, models: [...lost.models, deep(30)] }, { colorScheme })
      await page.evaluate(
        'document.querySelectorAll("details").forEach((details) => { details.open = true })',
      )
      const contrasts = (await page.evaluate(measureContrast)) as [string, number][]
      expect(contrasts.length).toBeGreaterThan(100)
      expect(contrasts.filter(([, ratio]) => ratio < 4.5)).toEqual([])
      await page.context().close()
    })

    it('changes to the other by the button', async () => {
      const { page } = await visit(sampleReport([traced()]), { colorScheme })
      const background = () => page.evaluate('getComputedStyle(document.body).backgroundColor')
      const before = await background()
      await page.locator('#theme').press('Enter')
      expect(await background()).not.toBe(before)
      await page.locator('#theme').press('Enter')
      expect(await background()).toBe(before)
      await page.context().close()
    })
  })
})

/** The contrast of each text with what is behind it, by the formula of WCAG 2; runs in the page. */
const measureContrast = `(() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number)
  const luminance = (colour) => {
    const [r, g, b] = channels(colour).slice(0, 3).map((channel) => {
      const share = channel / 255
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const behind = (element) => {
    const block = element.closest('.block')
    if (block) return getComputedStyle(block.querySelector('rect')).fill
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor
      if (colour !== 'rgba(0, 0, 0, 0)') return colour
    }
    return getComputedStyle(document.body).backgroundColor
  }
  return [...document.querySelectorAll('body *')].flatMap((element) => {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '')
    if (!own || ['SCRIPT', 'STYLE', 'title'].includes(element.tagName)) return []
    const style = getComputedStyle(element)
    const colour = element instanceof SVGElement ? style.fill : style.color
    const [a, b] = [luminance(colour), luminance(behind(element))].sort((x, y) => y - x)
    return [[element.textContent.slice(0, 30) + ' ' + element.className, (a + 0.05) / (b + 0.05)]]
  })
})()`
