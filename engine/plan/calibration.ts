import type { ModelSource, Prompt, Sources } from '../core/sources.ts'
import type { Adapter, Task } from '../core/step-kind.ts'
import type { TaskGraph } from '../graph/expand.ts'
import { type Profile, profileOfDevices, type Speeds } from './profile.ts'

/** What a model is tried out with: the first work that a workflow has for it. */
export interface Trial {
  readonly model: ModelSource
  readonly adapter: Adapter | null
  /** As many as are answered at once. */
  readonly prompts: readonly { readonly text: string; readonly systemPrompt: string | null }[]
}

/** What a trial found out; a figure that it could not tell is left out. */
export interface ModelCalibration {
  readonly model: ModelSource
  readonly together: number
  readonly figures: Partial<Speeds>
  /** The profile that was forecast from so far. */
  readonly profile: Profile
}

export interface Calibration {
  readonly models: readonly ModelCalibration[]
  readonly disk: Pick<Speeds, 'writeBytes' | 'readBytes'>
}

/** Where a workflow has no prompts of its own. */
const plainPrompt: Prompt = { id: 'plain', text: 'Tell me how rain is made, in a few sentences.', note: '' }

/** A trial of each model that the workflow loads. */
export function trialsOf({ tasks }: TaskGraph, { promptSets }: Sources): Trial[] {
  const sizes = new Map(promptSets.map((set) => [set.name, set.prompts.length]))
  const all = promptSets.flatMap((set) => set.prompts.map(({ text, systemPrompt = set.systemPrompt }) => ({ text, systemPrompt })))
  const prompts = all.length > 0 ? all : [{ text: plainPrompt.text, systemPrompt: null }]
  const ofModel = Map.groupBy(
    tasks.filter(({ state }) => state !== null),
    ({ state }) => state?.base.name,
  )
  return [...ofModel.values()].map((own) => {
    const together = usualBatch(own, sizes)
    const adapter = own.find(({ state }) => state?.adapter)?.state?.adapter ?? null
    return { model: own[0]?.state?.base as ModelSource, adapter, prompts: prompts.slice(0, together) }
  })
}

/** How many answers an answer is worked on with, on average: small prompt sets make small batches, which are slower. */
function usualBatch(tasks: readonly Task[], sizes: ReadonlyMap<string, number>): number {
  let [answers, sum] = [0, 0]
  for (const task of tasks) {
    const size = sizes.get(task.coordinate.promptSet ?? '') ?? 0
    const together = task.operation.together?.(task) ?? 0
    if (together === 0) continue
    answers += size
    sum += size * Math.min(size, together)
  }
  return Math.max(1, Math.round(sum / Math.max(1, answers)))
}

/** A profile of one's own from what was measured; what was not is of the built-in profile. */
export function calibratedSpeeds({ models, disk }: Calibration): Speeds {
  const [first] = models
  const { name: _name, ...start } = first?.profile ?? profileOfDevices([])
  return { ...start, ...first?.figures, ...disk }
}
