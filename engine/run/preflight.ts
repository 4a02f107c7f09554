import { totalmem } from 'node:os'
import { formatBytes } from '../core/bytes.ts'
import type { Diagnostic } from '../core/diagnostic.ts'
import type { ModelSource } from '../core/sources.ts'
import { weightBytes } from '../plan/memory.ts'
import { type Profile, profileOfDevice } from '../plan/profile.ts'
import { spaceOf } from './room.ts'

/** Refuses a run that the disk cannot hold, before anything is started. */
export function diskProblems(root: string, bytes: number, keepFree: number): Diagnostic[] {
  const free = spaceOf(root).bytes
  const needed = bytes + (bytes > 0 ? keepFree : 0)
  if (needed <= free) return []
  const parts = `${formatBytes(bytes)} of results and ${formatBytes(keepFree)} in reserve`
  const message = `the disk of ${root} is too small: ${formatBytes(free)} are free, ${formatBytes(needed)} are needed (${parts})`
  return [
    {
      severity: 'error',
      rule: 'disk-full',
      message,
      hint: 'free some room, capture fewer layers, or put the store on another disk with --store; --keep-free sets the reserve',
    },
  ]
}

/** Refuses a model on the CPU whose weights alone are more than the machine's memory; a GPU is asked when it is there. */
export function memoryProblems(models: readonly ModelSource[], has: number): Diagnostic[] {
  const tooLarge = models.filter((model) => model.device === 'cpu' && weightBytes(model) > has)
  return tooLarge.map((model): Diagnostic => {
    const message = `model "${model.name}" does not fit: its weights take ${formatBytes(weightBytes(model))} in ${model.quantization ?? model.dtype}, and the machine has ${formatBytes(has)} of memory`
    return { severity: 'error', rule: 'memory', message, hint: 'run it on a larger machine, or name a smaller model' }
  })
}

/** Bytes of memory that this process may use: the machine's, or what a control group leaves of it. */
export function memoryHere(): number {
  return Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY)
}

/** The memory of the device that a model is loaded on: of this machine's processor its own, of all else what a profile says. */
export function memoryFor(profile: Profile | null): (model: ModelSource) => number {
  return ({ device }) => profile?.memoryBytes ?? (device === 'cpu' ? memoryHere() : profileOfDevice(device).memoryBytes)
}
