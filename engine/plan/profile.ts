/** What a machine does in a second, for the forecast. */
export interface Profile {
  readonly name: string
  /** Floating-point operations a second while decoding, and while prefilling. */
  readonly decodeFlops: number
  readonly prefillFlops: number
  readonly loadSeconds: number
  readonly switchSeconds: number
  /** Starting the sidecar and importing its libraries. */
  readonly startSeconds: number
  /** Projected scores a second, and one task of the engine's own. */
  readonly cellsPerSecond: number
}

/**
 * Starting figures by device; what this machine measured replaces them.
 * cpu: two cores, bfloat16, SmolLM2-135M: 150 tokens/s decoded at batch 16 and 1,800 prefilled, 0.27 GFLOP a token.
 * cuda: one A100-80GB: 46.6 tokens/s decoded with a 4-bit Llama-3.3-70B at 139 GFLOP a token (measured by an
 * overnight run of 2025), prefill at half of 312 TFLOP/s, a base load of 150 s with quantisation, a rank-64 adapter
 * of 1.66 GB from a 3 GB/s disk.
 */
export const profiles: Readonly<Record<string, Profile>> = {
  cpu: {
    name: 'cpu-2core',
    decodeFlops: 40e9,
    prefillFlops: 480e9,
    loadSeconds: 1,
    switchSeconds: 0.1,
    startSeconds: 6,
    cellsPerSecond: 5_000,
  },
  cuda: {
    name: 'a100-80gb',
    decodeFlops: 6.5e12,
    prefillFlops: 156e12,
    loadSeconds: 150,
    switchSeconds: 0.6,
    startSeconds: 15,
    cellsPerSecond: 5_000,
  },
  mps: { name: 'mps', decodeFlops: 400e9, prefillFlops: 4e12, loadSeconds: 5, switchSeconds: 0.2, startSeconds: 6, cellsPerSecond: 5_000 },
}

/** Seconds per unit of work that this machine measured, by operation; null where it has not. */
export type MeasuredRates = (model: string, operation: string) => number | null
