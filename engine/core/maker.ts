/**
 * What computed a batch, beside what its keys name. Another machine or version comes to the same cells, whose last bits
 * may differ: it is kept for whoever asks where a number comes from.
 */
export interface Maker {
  /** Of the language it was computed in and of packages that can change a result. */
  readonly versions: Readonly<Record<string, string>>
  /** That a model was on, as the workflow names it. */
  readonly device?: string
  /** What the device is called. */
  readonly processor?: string
  /** Of a CPU: what is compiled for, and what products use. */
  readonly instructions?: readonly string[]
  readonly threads?: number
  /** Whether what lies between products of matrices was our own. */
  readonly kernels?: boolean
}

/** Versions first, then the machine: `node 24.15.0`, `torch 2.13.0, numpy 2.3.0 on cpu (Big CPU, x86-64-v4, 8 threads)`. */
export function makerText({ versions, device, processor, instructions, threads, kernels }: Maker): string {
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  if (device === undefined) return named.join(', ')
  const machine = [
    ...(processor === undefined ? [] : [processor]),
    ...(instructions === undefined ? [] : [instructions.join(' ')]),
    ...(threads === undefined ? [] : [`${threads} ${threads === 1 ? 'thread' : 'threads'}`]),
    ...(kernels === false ? ['without kernels of its own'] : []),
  ]
  return `${named.join(', ')} on ${device}${machine.length > 0 ? ` (${machine.join(', ')})` : ''}`
}

/** What has another value in `now` than in `then`, each in words. */
export function changesOf(then: Maker, now: Maker): string[] {
  const [before, after] = [flat(then), flat(now)]
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) => {
    const [one, other] = [before.get(name) ?? 'none', after.get(name) ?? 'none']
    return one === other ? [] : [`${name} ${one}, now ${other}`]
  })
}

function flat({ versions, device, processor, instructions, threads, kernels }: Maker): Map<string, string> {
  const named = { ...versions, device, processor, instructions: instructions?.join(' '), threads, kernels }
  return new Map(Object.entries(named).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])))
}
