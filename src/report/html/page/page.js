// Sorting, filtering and folding of tables, ways to hidden rows, dark and light. The page reads without it.

/** Rows that a long table shows until all are asked for. */
const FOLDED = 25

/**
 * What a row is sorted by in one column: a number, null where there is none, or text.
 * @param {HTMLTableRowElement} row
 * @param {number} column
 */
function valueAt(row, column) {
  const cell = row.cells[column]
  const { value } = cell.dataset
  if (value === undefined) return (cell.textContent ?? '').toLowerCase()
  return value === '' ? null : Number(value)
}

/**
 * Rows without a value stand last, whichever way the others run.
 * @param {string | number | null} a
 * @param {string | number | null} b
 * @param {number} sign
 */
function compare(a, b, sign) {
  if (a === b) return 0
  if (a === null) return 1
  if (b === null) return -1
  return a < b ? -sign : sign
}

/** @param {HTMLElement} container */
function enhance(container) {
  const table = /** @type {HTMLTableElement} */ (container.querySelector('table'))
  const body = table.tBodies[0]
  const rows = [...body.rows]
  const controls = /** @type {HTMLElement} */ (container.querySelector('.controls'))
  const input = /** @type {HTMLInputElement} */ (controls.querySelector('input'))
  const output = /** @type {HTMLOutputElement} */ (controls.querySelector('output'))
  const texts = new Map(rows.map((row) => [row, (row.textContent ?? '').toLowerCase()]))
  const more = document.createElement('button')
  more.type = 'button'
  let isFolded = rows.length > FOLDED * 1.5

  function show() {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean)
    let found = 0
    for (const row of body.rows) {
      const matches = words.every((word) => texts.get(row)?.includes(word))
      if (matches) found++
      row.hidden = !matches || (isFolded && found > FOLDED)
    }
    more.hidden = !isFolded || found <= FOLDED
    more.textContent = `Show all ${found} layers`
    output.textContent = words.length > 0 ? `${found} of ${rows.length} layers` : ''
  }

  /** @param {HTMLTableCellElement} heading */
  function sortBy(heading) {
    const now = heading.getAttribute('aria-sort')
    const first = heading.dataset.first ?? 'ascending'
    const other = first === 'ascending' ? 'descending' : 'ascending'
    const direction = now === first ? other : first
    for (const cell of heading.parentElement?.children ?? []) cell.removeAttribute('aria-sort')
    heading.setAttribute('aria-sort', direction)
    const sign = direction === 'ascending' ? 1 : -1
    const column = heading.cellIndex
    const keys = new Map(rows.map((row) => [row, valueAt(row, column)]))
    const value = (/** @type {HTMLTableRowElement} */ row) => keys.get(row) ?? null
    body.append(...rows.toSorted((a, b) => compare(value(a), value(b), sign)))
    show()
  }

  for (const heading of table.querySelectorAll('th')) {
    if (heading.dataset.sort === undefined) continue
    const button = document.createElement('button')
    button.type = 'button'
    button.append(...heading.childNodes)
    button.addEventListener('click', () => sortBy(heading))
    heading.append(button)
  }
  more.addEventListener('click', () => {
    isFolded = false
    show()
  })
  input.addEventListener('input', show)
  container.append(more)
  controls.hidden = false
  show()

  /** Shows a row that is folded or filtered away. */
  return function reveal(/** @type {Element} */ target) {
    if (!body.contains(target) || !(/** @type {HTMLElement} */ (target).hidden)) return
    input.value = ''
    isFolded = false
    show()
  }
}

const reveals = [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('.layers'))].map(
  enhance,
)

// Wide graphs start where their input is, not at their left edge
for (const graph of document.querySelectorAll('.graph')) {
  const [box, first] = [graph.parentElement, graph.querySelector('.block')]
  if (box === null || first === null) continue
  const place = first.getBoundingClientRect()
  box.scrollLeft += place.left + place.width / 2 - box.getBoundingClientRect().left - box.clientWidth / 2
}

/** Leads to what the address names, also where it was hidden. */
function follow() {
  const target = document.getElementById(location.hash.slice(1))
  if (target === null) return
  for (const reveal of reveals) reveal(target)
  target.scrollIntoView({ block: 'center', inline: target instanceof SVGElement ? 'center' : 'nearest' })
}
addEventListener('hashchange', follow)
follow()

const theme = /** @type {HTMLButtonElement} */ (document.getElementById('theme'))
const root = document.documentElement
const isDark = () =>
  root.dataset.theme === undefined
    ? matchMedia('(prefers-color-scheme: dark)').matches
    : root.dataset.theme === 'dark'

/** @param {string} name */
function setTheme(name) {
  root.dataset.theme = name
  theme.textContent = name === 'dark' ? 'Light' : 'Dark'
}
theme.addEventListener('click', () => {
  setTheme(isDark() ? 'light' : 'dark')
  try {
    localStorage.setItem('theme', root.dataset.theme ?? '')
  } catch {
    // Storage may be refused: the choice then lasts as long as the page
  }
})
theme.textContent = isDark() ? 'Light' : 'Dark'
try {
  const stored = localStorage.getItem('theme')
  if (stored === 'dark' || stored === 'light') setTheme(stored)
} catch {
  // The system's choice holds
}
theme.hidden = false
