import type { Bound, Layer, ModelReport, Report } from '../../src/audit/report-schema.ts'
import type { RenderOptions } from '../../src/report/renderer.ts'

export const plain: RenderOptions = {
  width: 120,
  colour: false,
  top: null,
  sort: 'share',
  verbosity: 'normal',
  inconclusive: 'fail',
  locate: (path) => path,
}

export function bound(value: number, method = 'graph'): Bound {
  return { value, log10: Math.log10(value), method, certificate: 'deterministic', failureProbability: 0 }
}

export function layer(rank: number, facts: Partial<Layer> = {}): Layer {
  const sigma = 10 / rank
  return {
    rank,
    order: rank,
    node: `/layers/layers.${rank - 1}/Gemm`,
    role: '',
    op: 'Gemm',
    kind: 'dense',
    weight: `layers.${rank - 1}.weight`,
    shape: [256, 784],
    parameters: 200_704,
    weightSha256: 'ab'.repeat(32),
    inputShape: [1, 784],
    frobenius: { weight: 2 * sigma, operator: 2 * sigma },
    spectral: {
      lower: sigma * (1 - 1e-4),
      upper: sigma,
      method: 'lanczos',
      certificate: 'probabilistic',
      failureProbability: 1e-11,
    },
    stableRank: 4,
    gain: sigma,
    elasticity: 1,
    share: 0.5 / rank,
    ...facts,
  }
}

/** A chain of three layers with norms 10, 5 and 10/3. */
export function sampleModel(facts: Partial<ModelReport> = {}): ModelReport {
  const upper = { ...bound(500 / 3), certificate: 'probabilistic', failureProbability: 1e-10 } as const
  return {
    path: 'net.onnx',
    verdict: 'none',
    sha256: 'cd'.repeat(32),
    bytes: 55_889,
    irVersion: 8,
    opsets: { '': 17 },
    producer: 'pytorch 2.1.0',
    parameters: 602_112,
    inputs: [{ name: 'x', shape: [1, 784], dtype: 'float32', audited: true }],
    outputs: [
      {
        name: 'y',
        shape: [1, 10],
        dtype: 'float32',
        lipschitz: { upper, lower: null, offset: 0, ladder: [upper] },
      },
    ],
    norm: 'l2',
    domain: { kind: 'global' },
    lipschitz: {
      upper,
      lower: null,
      offset: 0,
      ladder: [bound(4000 / 3, 'frobenius-product'), bound(500 / 3, 'spectral-product'), upper],
    },
    regularizers: { l2: 400, spectral: 136.1 },
    layers: [layer(1), layer(2), layer(3)],
    findings: [],
    gates: [],
    ...facts,
  }
}

export function sampleReport(models: ModelReport[] = [sampleModel()]): Report {
  return {
    $schema: 'https://unpkg.com/lipschitz/schema/report-v1.json',
    schemaVersion: 1,
    tool: { name: 'lipschitz', version: '0.1.0' },
    verdict: 'none',
    models,
    errors: [],
  }
}
