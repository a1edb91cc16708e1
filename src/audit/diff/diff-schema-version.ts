/** Raised when a key of the comparison is removed, renamed or changes its meaning; never for keys that are added. */
export const diffSchemaVersion = 1

export const diffSchemaUrl = 'https://unpkg.com/lipschitz/schema/diff-v1.json'
