/** Raised when a key of the report is removed, renamed or changes its meaning; never for keys that are added. */
export const schemaVersion = 1

export const schemaUrl = 'https://unpkg.com/lipschitz/schema/report-v1.json'
