/** The version in package.json (a test holds them equal): known without reading a file at start-up. */
export const toolVersion = '0.1.0'

export const toolName = 'lipschitz'
