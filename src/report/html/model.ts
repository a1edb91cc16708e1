import type { ModelReport } from '../../audit/report-schema.ts'
import { displayName } from '../display-name.ts'
import type { RenderOptions } from '../renderer.ts'
import { count } from '../text.ts'
import { renderFigures, renderFile } from './facts.ts'
import { renderFindings } from './findings.ts'
import { identifiers } from './identifiers.ts'
import { renderLadder } from './ladder.ts'
import { renderLayers } from './layers.ts'
import { element, textElement } from './markup.ts'
import { type Block, groupBlocks } from './network/blocks.ts'
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

/** One model: verdict and gates, the numbers to take away, pictures, findings, and all layers. */
export function renderModel(model: ModelReport, index: number, options: RenderOptions): string {
  const ids = identifiers(index)
  const trace = model.trace ?? []
  const graph = groupBlocks(model)
  const path = criticalPath(trace)
  const critical = new Set(path.places.map((place) => graph.blockOf[place]))
  const findings = `Findings (${model.findings.length.toLocaleString('en-US')})`
  const pictures =
    trace.length === 0
      ? section('Bounds', renderLadder(model))
      : element(
          'div',
          { class: 'pictures' },
          section('Graph', renderGraph(model, graph, critical, ids)),
          element(
            'div',
            {},
            section('Bounds', renderLadder(model)),
            section('Growth of the bound', renderGrowth(model, path), renderSteps(graph.blocks)),
            section(findings, renderFindings(model)),
          ),
        )
  return element(
    'article',
    { id: ids.model },
    element('h2', {}, textElement('span', {}, displayName(model.path)), ' ', badge(model.verdict)),
    renderFile(model),
    renderGates(model),
    renderFigures(model),
    pictures,
    trace.length === 0 ? section(findings, renderFindings(model)) : '',
    section(
      `Layers (${count(model.layers.length, 'layer')}, most sensitive first)`,
      renderLayers(model, blocksByNode(model, graph.blocks), ids, options),
    ),
  )
}
