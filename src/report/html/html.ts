import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Report } from '../../audit/report-schema.ts'
import { displayName } from '../display-name.ts'
import type { Renderer } from '../renderer.ts'
import { count } from '../text.ts'
import { element, textElement } from './markup.ts'
import { renderModel } from './model.ts'
import { renderErrors, renderOverview } from './overview.ts'
import { badge } from './verdict.ts'

/** What the page is made with, in a folder beside this module: as it is here, and in the package. */
const read = (name: string) =>
  readFileSync(new URL(`./page/${name}`, import.meta.url), 'utf8').replaceAll('\r\n', '\n')

const styles = ['theme.css', 'layout.css', 'tables.css', 'pictures.css', 'narrow.css']

const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

function renderTitle({ models, errors }: Report): string {
  if (models.length === 1 && errors.length === 0)
    return `${displayName(models[0].path, 80)} – Lipschitz report`
  return `Lipschitz report of ${count(models.length, 'model')}`
}

/**
 * The whole report as one page that needs nothing else: no request leaves it, its policy lets nothing run but its own
 * style and script, and it reads without the script. Names from files are escaped text, never markup, addresses or
 * identifiers.
 */
export const renderHtml: Renderer = (report, options) => {
  const style = styles.map(read).join('')
  const script = read('page.js')
  const policy = `default-src 'none'; style-src ${hashOf(style)}; script-src ${hashOf(script)}; base-uri 'none'; form-action 'none'`
  const head = element(
    'head',
    {},
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    textElement('title', {}, renderTitle(report)),
    `<style>${style}</style>`,
  )
  const { name, version } = report.tool
  const header = element(
    'header',
    {},
    element('h1', {}, 'Lipschitz report ', report.models.length > 1 ? badge(report.verdict) : ''),
    '<button type="button" id="theme" hidden>Dark or light</button>',
  )
  const main = element(
    'main',
    {},
    renderOverview(report),
    renderErrors(report),
    ...report.models.map((model, index) => renderModel(model, index, options)),
  )
  const footer = textElement(
    'footer',
    { class: 'faint' },
    `${displayName(name)} ${displayName(version)}. Every bound is proven; what is not is said.`,
  )
  const body = element('body', {}, header, main, footer, `<script>${script}</script>`)
  return `<!doctype html>\n${element('html', { lang: 'en' }, head, body)}\n`
}
