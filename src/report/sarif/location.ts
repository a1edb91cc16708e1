import { displayName } from '../display-name.ts'

/** The longest path that systems know. */
const PATH_MOST = 4096
const KEPT = /[A-Za-z0-9\-._~/]/

/** Percent-encodes every byte of a path but those that a URI keeps as they are. */
function encodePath(path: string): string {
  return Array.from(Buffer.from(path, 'utf8'), (byte) => {
    const character = String.fromCharCode(byte)
    return KEPT.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }).join('')
}

/** A relative reference for a place in the checkout, a file URI for one outside of it. */
export function toUri(path: string): string {
  if (path.startsWith('/')) return `file://${encodePath(path)}`
  return /^[A-Za-z]:\//.test(path) ? `file:///${path[0]}:${encodePath(path.slice(2))}` : encodePath(path)
}

/** The first line of the file, as viewers want of files without lines, and within it the node or the tensor. */
export function describeLocation(path: string, node: string | undefined) {
  return {
    physicalLocation: {
      artifactLocation: { uri: toUri(path.slice(0, PATH_MOST)) },
      region: { startLine: 1 },
    },
    ...(node === undefined
      ? {}
      : {
          logicalLocations: [
            { name: displayName(node), fullyQualifiedName: displayName(node, 1000), kind: 'module' },
          ],
        }),
  }
}
