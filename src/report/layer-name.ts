import type { Layer } from '../audit/report-schema.ts'
import { escapeText } from './escape.ts'

/** The node's name, with the layer's role where the node has several. */
export function layerName(layer: Pick<Layer, 'node' | 'role'>): string {
  const name = escapeText(layer.node)
  return layer.role === '' ? name : `${name} ${escapeText(layer.role)}`
}
