/** External data: where it is, how much of it, and what else a model may reach through it. */
import { createHash } from 'node:crypto'
import { type Message, model, node, subgraph, tensor } from '../../helpers/onnx-builder.ts'
import {
  about,
  type Beside,
  type Bytes,
  type Chapter,
  malformed,
  norm1234,
  type Outcome,
  plain,
  type Row,
  raw,
  unsafe,
} from '../row.ts'

const elements = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer)
type Entries = Readonly<Record<string, string>> | readonly (readonly [string, string])[]

const outside = (entries: Entries, more: Message = {}): Message => ({
  ...{ dims: [2, 2], dataType: 1, dataLocation: 1 },
  externalData: (Array.isArray(entries) ? entries : Object.entries(entries)).map(([key, value]) => ({
    key,
    value,
  })),
  ...more,
})
const bytes =
  (message: Message): (() => Bytes) =>
  () =>
    model({ ...plain, initializers: { w: message } })

function external(
  name: string,
  entries: Entries,
  outcome: Outcome,
  beside: Record<string, Beside> = { 'w.bin': elements },
  more: Partial<Row> & { message?: Message } = {},
): Row {
  const { message, ...rest } = more
  return raw(name, bytes(outside(entries, message)), outcome, { beside, ...rest })
}

const good: Outcome = { bound: about(norm1234) }
const missing: Outcome = { refused: 'not-found', says: /no such file.*next to the model/ }
const unreadable = (says: RegExp): Outcome => ({ refused: 'unreadable', says })
const hidden = { '../secret.bin': elements, '../home-two/secret.bin': elements }

const places: Chapter = [
  external('weights in another file', { location: 'w.bin' }, good),
  external('weights in a folder', { location: 'deep/w.bin' }, good, { 'deep/w.bin': elements }),
  external('a parent folder', { location: '../secret.bin' }, unsafe(/\.\./), hidden),
  external('a parent folder in the middle', { location: 'a/../../secret.bin' }, unsafe(/\.\./), {
    ...hidden,
    a: 'folder',
  }),
  external('a parent folder that leads back', { location: '../home/w.bin' }, unsafe(/\.\./)),
  external('an absolute path', { location: '/etc/passwd' }, unsafe(/absolute/)),
  external('an absolute path with slashes', { location: '//etc/passwd' }, unsafe(/absolute/)),
  external('a drive', { location: 'C:\\Windows\\win.ini' }, unsafe(/backslash|colon/)),
  external('a drive without a folder', { location: 'C:win.ini' }, unsafe(/colon/)),
  external('a share', { location: '\\\\server\\share' }, unsafe(/backslash/)),
  external('a parent folder with backslashes', { location: '..\\secret.bin' }, unsafe(/backslash/)),
  external('a URL', { location: 'file:///etc/passwd' }, unsafe(/colon/)),
  external('a stream of a file', { location: 'w.bin:stream' }, unsafe(/colon/)),
  external('a NUL', { location: 'w.bin\0.png' }, unsafe(/NUL/)),
  external('no location at all', { offset: '0' }, malformed(/no location/)),
  external('an empty location', { location: '' }, unsafe(/empty/)),
  external('the folder itself', { location: '.' }, unsafe(/folder/)),
  external('a folder', { location: 'deep' }, unreadable(/directory/), { deep: 'folder' }),
  external('a pipe', { location: 'pipe' }, unreadable(/pipe/), { pipe: 'pipe' }),
  external('a link to a device', { location: 'zero' }, unsafe(/link/), { zero: { link: '/dev/zero' } }),
  external('a device of the process', { location: 'fd' }, unsafe(/link/), {
    fd: { link: '/proc/self/fd/0' },
  }),
  external('a link that leads out', { location: 'out' }, unsafe(/link/), {
    ...hidden,
    out: { link: '../secret.bin' },
  }),
  external('a link that leads out to nothing', { location: 'out' }, unsafe(/link/), {
    out: { link: '../absent.bin' },
  }),
  external('a link that leads to a folder of nearly the same name', { location: 'out' }, unsafe(/link/), {
    ...hidden,
    out: { link: '../home-two/secret.bin' },
  }),
  external('a folder that is a link out', { location: 'up/secret.bin' }, unsafe(/link/), {
    ...hidden,
    up: { link: '..' },
  }),
  external('a link to a link that leads out', { location: 'one' }, unsafe(/link/), {
    ...hidden,
    one: { link: 'two' },
    two: { link: '../secret.bin' },
  }),
  external('a link to itself', { location: 'loop' }, unreadable(/link/), { loop: { link: 'loop' } }),
  external('a link within the folder', { location: 'link' }, good, {
    'w.bin': elements,
    link: { link: 'w.bin' },
  }),
  external('a link out and in again', { location: 'link' }, good, {
    'w.bin': elements,
    link: { link: '../home/w.bin' },
  }),
  external('a further hard link', { location: 'hard' }, unsafe(/2 hard links.*--hard-links/), {
    'w.bin': elements,
    hard: { hardLink: 'w.bin' },
  }),
  external(
    'a further hard link that is allowed',
    { location: 'hard' },
    good,
    { 'w.bin': elements, hard: { hardLink: 'w.bin' } },
    { args: ['--hard-links'] },
  ),
  external('a file that is not there', { location: 'absent.bin' }, missing),
  external('a file below a file', { location: 'w.bin/x' }, { refused: 'not-found', says: /no such file/ }),
  external('the marker of a runtime for memory', { location: '*/_ORT_MEM_ADDR_/*' }, unsafe(/memory/)),
  external('a number sign before it', { location: '#/etc/passwd' }, unsafe(/#/)),
  external('a device of Windows', { location: 'NUL' }, unsafe(/device/)),
  external('a device of Windows with an ending', { location: 'deep/com1.bin' }, unsafe(/device/)),
  external('a dot at the end', { location: 'w.bin.' }, unsafe(/dot/)),
  external('a blank at the end', { location: 'w.bin ' }, unsafe(/space/)),
  external(
    'a location of a megabyte',
    { location: 'a/'.repeat(500_000) },
    { refused: 'not-found', says: /no such file/ },
  ),
  external(
    'a name of 300 letters',
    { location: 'a'.repeat(300) },
    { refused: 'not-found', says: /no such file/ },
  ),
  external(
    'an escape sequence in a location',
    { location: '\x1b[2Jw\n.bin' },
    { refused: 'not-found', says: /no such file/ },
  ),
  external(
    'the model itself',
    { location: 'model.onnx', offset: '0', length: '16' },
    { bound: [0, Infinity] },
    {},
  ),
  external(
    'external data that is switched off',
    { location: 'w.bin' },
    unsafe(/another file.*not allowed/),
    { 'w.bin': elements },
    { args: ['--no-external'] },
  ),
]

const twelve = new Uint8Array([...elements.subarray(0, 4), ...elements, ...elements.subarray(0, 8)])
const part = { 'w.bin': twelve }
const ranges: Chapter = [
  external('a part of a file', { location: 'w.bin', offset: '4', length: '16' }, good, part),
  external('an offset of -1', { location: 'w.bin', offset: '-1' }, malformed(/offset "-1"/), part),
  external(
    'an offset in powers of ten',
    { location: 'w.bin', offset: '1e3' },
    malformed(/offset "1e3"/),
    part,
  ),
  external('an offset behind a blank', { location: 'w.bin', offset: ' 8' }, malformed(/offset/), part),
  external('an offset in hexadecimal', { location: 'w.bin', offset: '0x10' }, malformed(/offset/), part),
  external('an offset of Arabic digits', { location: 'w.bin', offset: '٤' }, malformed(/offset/), part),
  external('an empty offset', { location: 'w.bin', offset: '' }, malformed(/offset/), part),
  external('an offset of 2^64', { location: 'w.bin', offset: String(2n ** 64n) }, malformed(/offset/), part),
  external(
    'an offset of 2^49',
    { location: 'w.bin', offset: String(2 ** 49), length: '16' },
    malformed(/past the end/),
    part,
  ),
  external('an offset beyond the end', { location: 'w.bin', offset: '29' }, malformed(/past the end/), part),
  external('a length of -1', { location: 'w.bin', length: '-1' }, malformed(/length/), part),
  external(
    'a length of 10^15',
    { location: 'w.bin', length: '999999999999999' },
    malformed(/past the end/),
    part,
  ),
  external(
    'a length that is too short',
    { location: 'w.bin', offset: '4', length: '12' },
    malformed(/12 bytes/),
    part,
  ),
  external(
    'a length that is too long',
    { location: 'w.bin', offset: '4', length: '20' },
    malformed(/20 bytes/),
    part,
  ),
  external('the rest of a file that is too long', { location: 'w.bin' }, malformed(/28 bytes/), part),
  external('an empty file', { location: 'w.bin' }, malformed(/0 bytes/), { 'w.bin': new Uint8Array(0) }),
  external(
    'two locations',
    [
      ['location', 'w.bin'],
      ['location', '../secret.bin'],
    ],
    malformed(/two values/),
    { 'w.bin': elements, ...hidden },
  ),
  external(
    'two offsets',
    [
      ['location', 'w.bin'],
      ['offset', '0'],
      ['offset', '4'],
    ],
    malformed(/two values/),
  ),
  external('a key of the language', { location: 'w.bin', __class__: 'x' }, malformed(/unknown key/)),
  external(
    '__proto__ as a key',
    [
      ['location', 'w.bin'],
      ['__proto__', 'x'],
    ],
    malformed(/unknown key/),
  ),
  external(
    'a checksum',
    { location: 'w.bin', checksum: createHash('sha1').update(elements).digest('hex') },
    good,
  ),
  external('a wrong checksum', { location: 'w.bin', checksum: '0'.repeat(40) }, malformed(/SHA-1/)),
  external('a checksum of nothing', { location: 'w.bin', checksum: '' }, malformed(/SHA-1/)),
  external(
    'elements here and there',
    { location: 'w.bin' },
    malformed(/both here and in another file/),
    { 'w.bin': elements },
    { message: { rawData: elements } },
  ),
  external(
    'a location that is not used',
    { location: '../secret.bin' },
    good,
    {},
    { message: { dataLocation: 0, rawData: elements } },
  ),
  external('2^40 elements elsewhere', { location: 'w.bin' }, { refused: 'limit', says: /elements/ }, part, {
    message: { dims: [String(2 ** 40)] },
  }),
  external(
    'strings elsewhere',
    { location: 'w.bin' },
    malformed(/strings/),
    { 'w.bin': elements },
    { message: { dataType: 8 } },
  ),
]

const stray = outside({ location: '../secret.bin' })
const inBranch = (constant: Message) =>
  node('If', ['c'], ['y'], {
    then_branch: subgraph({
      outputs: ['t'],
      nodes: [
        node('Constant', [], ['v'], constant as Parameters<typeof node>[3]),
        node('MatMul', ['x', 'v'], ['t']),
      ],
    }),
    else_branch: subgraph({ outputs: ['e'], nodes: [node('Identity', ['x'], ['e'])] }),
  })
const condition = { c: tensor([], [1], 'bool') }
const everywhere: Chapter = [
  raw(
    'an escape in sparse values',
    () =>
      model({
        ...plain,
        initializers: {},
        sparseInitializers: [
          {
            values: { ...stray, name: 'w', dims: [4] },
            indices: { dims: [4], dataType: 7, int64Data: [0, 1, 2, 3] },
            dims: [2, 2],
          },
        ],
      }),
    unsafe(/\.\./),
  ),
  raw(
    'an escape in sparse indices',
    () =>
      model({
        ...plain,
        initializers: {},
        sparseInitializers: [
          {
            values: { name: 'w', dims: [2], dataType: 1, floatData: [1, 2] },
            indices: { ...stray, dims: [2], dataType: 7 },
            dims: [2, 2],
          },
        ],
      }),
    unsafe(/\.\./),
  ),
  raw(
    'an escape in a constant of a body',
    () => model({ ...plain, initializers: condition, nodes: [inBranch({ value: stray })] }),
    unsafe(/\.\./),
  ),
  raw(
    'an escape in a constant of a body of a function',
    () =>
      model({
        ...plain,
        opsets: { own: 1 },
        initializers: {},
        functions: [
          {
            name: 'F',
            domain: 'own',
            inputs: ['x'],
            outputs: ['y'],
            nodes: [node('Constant', [], ['c'], { value: condition.c }), inBranch({ value: stray })],
          },
        ],
        nodes: [node('F', ['x'], ['y'], {}, { domain: 'own' })],
      }),
    unsafe(/\.\./),
  ),
  raw(
    'an escape in a tensor that nothing reads',
    () => model({ ...plain, initializers: { ...plain.initializers, unread: stray } }),
    unsafe(/\.\./),
  ),
  raw(
    'an escape in a node of a domain that nobody knows',
    () => model({ ...plain, nodes: [node('Any', ['x'], ['y'], { t: stray }, { domain: 'org.example' })] }),
    unsafe(/\.\./),
  ),
  raw(
    'ranges that overlap',
    () =>
      model({
        ...plain,
        initializers: {
          w: outside({ location: 'w.bin', offset: '0', length: '16' }),
          v: outside({ location: 'w.bin', offset: '4', length: '16' }),
        },
        nodes: [node('MatMul', ['x', 'w'], ['h']), node('MatMul', ['h', 'v'], ['y'])],
      }),
    { bound: [1, 100] },
    { beside: { 'w.bin': new Uint8Array([...elements, ...elements.subarray(0, 4)]) } },
  ),
  raw(
    'one range twice',
    () =>
      model({
        ...plain,
        initializers: { w: outside({ location: 'w.bin' }), v: outside({ location: 'w.bin' }) },
        nodes: [node('MatMul', ['x', 'w'], ['h']), node('MatMul', ['h', 'v'], ['y'])],
      }),
    { bound: [29, 30] },
    { beside: { 'w.bin': elements } },
  ),
]

const GiB = 2 ** 30
const far = 3 * GiB - 64

const large: Chapter = [
  external(
    'weights at 3 GiB of a file of 5 GiB',
    { location: 'w.bin', offset: String(far), length: '16' },
    good,
    { 'w.bin': { size: 5 * GiB, at: [[far, elements]] } },
    { isHeavy: true },
  ),
  external(
    'weights behind 2^32 bytes',
    { location: 'w.bin', offset: String(2 ** 32 + 4), length: '16' },
    good,
    {
      'w.bin': {
        size: 2 ** 32 + 20,
        at: [
          [4, new Uint8Array(16).fill(0x7f)],
          [2 ** 32 + 4, elements],
        ],
      },
    },
    { isHeavy: true },
  ),
  external(
    'weights that end a byte behind a file of 5 GiB',
    { location: 'w.bin', offset: String(5 * GiB - 15), length: '16' },
    malformed(/./),
    { 'w.bin': { size: 5 * GiB, at: [] } },
    { isHeavy: true },
  ),
  raw(
    'a model of 2 GiB',
    () => model(plain),
    { refused: 'limit', says: /--limit fileBytes/ },
    { beside: { 'model.onnx': { size: 2 * GiB, at: [] } }, isHeavy: true },
  ),
  raw('a model of 3 GiB, most of it zeros', () => model(plain), malformed(/./), {
    beside: { 'model.onnx': { size: 3 * GiB, at: [] } },
    args: ['--limit', 'fileBytes=8GiB'],
    isHeavy: true,
  }),
]

export const externals: Chapter = [...places, ...ranges, ...everywhere, ...large]
