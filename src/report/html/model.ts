import type { ModelReport } from '../../audit/report-schema.ts'
import { displayName } from '../display-name.ts'
import { formatCount } from '../numbers.ts'
import type { RenderOptions } from '../renderer.ts'
import { count } from '../text.ts'
import { renderFigures, renderFile } from './facts.ts'
import { renderFindings } from './findings.ts'
import { type Identifiers, identifiers } from './identifiers.ts'
import { renderLadder } from './ladder.ts'
import { renderLayers } from './layers.ts'
import { element, textElement } from './markup.ts'
import { type Block, type BlockGraph, groupBlocks } from './network/blocks.ts'
import { renderGraph } from './network/graph.ts'
import { renderGrowth } from './network/growth.ts'
import { criticalPath } from './network/path.ts'
import { renderSteps } from './network/steps.ts'
import { badge, renderGates } from './verdict.ts'

function section(title: string, ...content: readonly string[]): string {
  return element('section', {}, textElement('h3', {}, title), ...content)
}

/** The block that holds a node of this name: where the row of a layer leads to. */
function blocksByNode(model: ModelReport, blocks: readonly Block[]): Map<string, number> {
  const places = new Map<string, number>()
  for (const [index, block] of blocks.entries()) {
    for (const place of block.places) {
      const { node } = model.trace![place]
      if (!places.has(node)) places.set(node, index)
    }
  }
  return places
}

/** Bounds and findings, and beside them the graph and the growth along it where the report holds a trace. */
function renderPictures(model: ModelReport, graph: BlockGraph, ids: Identifiers): string {
  const trace = model.trace ?? []
  const bounds = section('Bounds', renderLadder(model))
  const findings = section(`Findings (${formatCount(model.findings.length)})`, renderFindings(model))
  if (trace.length === 0) return bounds + findings
  const path = criticalPath(graph.blocks)
  const { drawing, isWide } = renderGraph(model, graph, path, ids)
  const growth = section('Growth of the bound', renderGrowth(graph.blocks, path), renderSteps(graph.blocks))
  return element(
    'div',
    { class: isWide ? 'pictures wide' : 'pictures' },
    section('Graph', drawing),
    element('div', {}, bounds, growth, findings),
  )
}

const baseName = (path: string) =>
  path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1) || path

/** One model: verdict and gates, the numbers to take away, pictures, findings, and all layers. */
export function renderModel(model: ModelReport, index: number, options: RenderOptions): string {
  const ids = identifiers(index)
  const graph = groupBlocks(model)
  return element(
    'article',
    { id: ids.model },
    element(
      'h2',
      {},
      textElement('span', {}, displayName(baseName(model.path), 100)),
      ' ',
      badge(model.verdict),
    ),
    baseName(model.path) === model.path ? '' : textElement('p', { class: 'faint' }, displayName(model.path)),
    renderFile(model),
    renderGates(model),
    renderFigures(model),
    renderPictures(model, graph, ids),
    section(
      `${count(model.layers.length, 'layer')}, ranked`,
      renderLayers(model, blocksByNode(model, graph.blocks), ids, options),
    ),
  )
}
