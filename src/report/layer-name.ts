import type { Layer } from '../audit/report-schema.ts'

/** The node's name, with the layer's role where the node has several: how gates and findings name a layer. */
export function layerName(layer: Pick<Layer, 'node' | 'role'>): string {
  return layer.role === '' ? layer.node : `${layer.node}[${layer.role}]`
}
