import { totalmem } from 'node:os'
import path from 'node:path'
import { partsOfDevice } from '../core/device.ts'
import { formatBytes } from '../core/format.ts'
import type { Diagnostic } from '../core/diagnostic.ts'
import type { ModelSource } from '../core/sources.ts'
import { weightBytes } from '../plan/memory.ts'
import type { Plan } from '../plan/plan.ts'
import { type Profile, profileOfDevices } from '../plan/profile.ts'
import type { Prepared } from '../prepare.ts'
import { isForeign } from '../store/view.ts'
import { type Space, spaceOf } from './room.ts'

/** Refuses a run that the disk cannot hold, before anything is started. */
export function diskProblems(root: string, { bytes, files }: Needed, keepFree: number, space: Space = spaceOf(root)): Diagnostic[] {
  const problem = (message: string, hint: string): Diagnostic => ({ severity: 'error', rule: 'disk-full', message, hint })
  const problems: Diagnostic[] = []
  const needed = bytes + (bytes > 0 ? keepFree : 0)
  if (needed > space.bytes) {
    const parts = `${formatBytes(bytes)} of results and ${formatBytes(keepFree)} in reserve`
    const message = `the disk of ${root} is too small: ${formatBytes(space.bytes)} are free, ${formatBytes(needed)} are needed (${parts})`
    const hint = 'free some room, capture fewer layers, or put the store on another disk with --store; --keep-free sets the reserve'
    problems.push(problem(message, hint))
  }
  if (space.inodes !== null && files > space.inodes) {
    const message = `the disk of ${root} has room for ${space.inodes} more files, and ${files} are needed`
    problems.push(problem(message, 'remove files, put the store on another disk with --store, or make batches larger: each is a few files'))
  }
  return problems
}

/** What a run adds to a disk. */
export interface Needed {
  readonly bytes: number
  readonly files: number
}

/** Of a batch: its object and its manifest. */
const filesOfBatch = 2

/** Files that a run adds at least: those of its batches, and one for every result that people open. */
export function filesNeeded(plan: Plan): number {
  return plan.tasks.reduce((sum, { task, toRun, batches }) => sum + filesOfBatch * batches.length + (task.operation.folder ? toRun : 0), 0)
}

/** Where the results of an experiment are shown. */
export function experimentFolder(workspace: string, { experiment }: Pick<Prepared['workflow'], 'experiment'>): string {
  return path.join(workspace, 'experiments', experiment)
}

/** Refuses to show results among files that are not ours, where the graph has any to show. */
export function folderProblems(folder: string, { tasks }: Pick<Prepared['graph'], 'tasks'>): Diagnostic[] {
  if (!tasks.some(({ operation }) => operation.folder) || !isForeign(folder)) return []
  const message = `results cannot be shown in ${folder}: it is there, and dag did not make it`
  return [{ severity: 'error', rule: 'foreign-folder', message, hint: 'move it away, or give the workflow another `experiment:` name' }]
}

/** Refuses a model on the CPU whose weights alone are more than the machine's memory, as often as it is there; a GPU is asked when it is there. */
export function memoryProblems(models: readonly ModelSource[], has: number): Diagnostic[] {
  const tooLarge = models.filter((model) => isOnCpu(model) && model.devices.length * weightBytes(model) > has)
  return tooLarge.map((model): Diagnostic => {
    const times = model.devices.length > 1 ? ` ${model.devices.length} times` : ''
    const message = `model "${model.name}" does not fit${times}: its weights take ${formatBytes(weightBytes(model))} in ${model.quantization ?? model.dtype}, and the machine has ${formatBytes(has)} of memory`
    return { severity: 'error', rule: 'memory', message, hint: 'run it on a larger machine, or name a smaller model' }
  })
}

/** Bytes of memory that this process may use: the machine's, or what a control group leaves of it. */
export function memoryHere(): number {
  return Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY)
}

/**
 * The memory that a model is loaded into: of this machine's processor its own, shared by all that are on it; of all else what
 * a profile says, as often as there are GPUs that the model is spread over.
 */
export function memoryFor(profile: Profile | null): (model: ModelSource) => number {
  return (model) => {
    const whole = profile?.memoryBytes ?? (isOnCpu(model) ? memoryHere() : profileOfDevices(model.devices).memoryBytes)
    return isOnCpu(model) ? Math.floor(whole / model.devices.length) : whole * partsOfDevice(model.devices[0] as string).length
  }
}

function isOnCpu({ devices }: ModelSource): boolean {
  return devices[0] === 'cpu'
}
