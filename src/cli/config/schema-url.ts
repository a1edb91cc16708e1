export const configSchemaUrl = 'https://unpkg.com/lipschitz/schema/config-v1.json'
