import type { LayerVectors, ShapedVector } from '../audit/vectors.ts'
import { renderValue } from '../report/json.ts'
import { npzOf } from './npz.ts'
import { usage } from './readers.ts'
import { writeWhole } from './write-file.ts'

const nameOf = ({ node, role }: LayerVectors) => (role === '' ? node : `${node}[${role}]`)

/** Row-major numbers in the brackets of their shape. */
function nested({ dims, data }: ShapedVector): unknown {
  const level = (axis: number, start: number, size: number): unknown => {
    if (axis === dims.length) return data[start]
    const step = size / dims[axis]
    return Array.from({ length: dims[axis] }, (_, i) => level(axis + 1, start + i * step, step))
  }
  return level(0, 0, data.length)
}

const writers = {
  npz: (vectors: readonly LayerVectors[]) =>
    npzOf(
      vectors.flatMap((layer) => [
        { name: `${nameOf(layer)}/u`, ...layer.u },
        { name: `${nameOf(layer)}/v`, ...layer.v },
        { name: `${nameOf(layer)}/sigma`, dims: [], data: Float64Array.of(layer.sigma) },
      ]),
    ),
  json: (vectors: readonly LayerVectors[]) =>
    renderValue(vectors.map((layer) => ({ ...layer, u: nested(layer.u), v: nested(layer.v) }))),
} satisfies Record<string, (vectors: readonly LayerVectors[]) => string | Uint8Array>

/** The format that the path's ending names. Throws `usage`. */
function formatOf(path: string): keyof typeof writers {
  const ending = /\.(npz|json)$/i.exec(path)?.[1].toLowerCase()
  if (ending === undefined) throw usage(`--vectors expects a path that ends in .npz or .json, not '${path}'`)
  return ending as keyof typeof writers
}

/** Says before an audit that its vectors could not be written for these models. Throws `usage`. */
export function checkVectors(path: string, models: readonly string[]): void {
  formatOf(path)
  if (models.length > 1) throw usage('--vectors takes one model', 'audit each with a path of its own')
}

export async function writeVectors(path: string, vectors: readonly LayerVectors[]): Promise<void> {
  await writeWhole(path, writers[formatOf(path)](vectors))
}
