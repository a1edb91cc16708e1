import type { ModelReport, Report } from '../audit/report-schema.ts'
import { displayName } from './display-name.ts'
import type { RenderOptions } from './renderer.ts'

/** The models of a report, each path once: a path that is given twice has the same report twice. */
export function distinctModels({ models }: Report): ModelReport[] {
  return [...new Map(models.map((model) => [model.path, model])).values()]
}

/** How formats for other tools call a model: its place in the checkout, escaped. */
export function modelName(path: string, { locate }: Pick<RenderOptions, 'locate'>): string {
  return displayName(locate(path), 1000)
}
