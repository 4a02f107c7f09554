import { type Digest, digestOfJson } from '../core/digest.ts'
import type { PromptSetSource, Sources } from '../core/sources.ts'
import type { Task } from '../core/step-kind.ts'
import type { TaskGraph } from '../graph/expand.ts'
import type { Plan, PlannedTask } from './plan.ts'
import { poolsPrompts } from './pooled.ts'

/** What prompt sets were like: of each by its name a digest of all but the texts, and one of each text. */
export type PromptMarks = Readonly<Record<string, { readonly but: Digest; readonly texts: readonly Digest[] }>>

export function promptMarks(sets: readonly PromptSetSource[]): PromptMarks {
  return Object.fromEntries(sets.map((set) => [set.name, marksOf(set)]))
}

function marksOf({ name, systemPrompt, prompts }: PromptSetSource): PromptMarks[string] {
  const but = digestOfJson({ name, systemPrompt, prompts: prompts.map(({ text: _text, ...others }) => others) })
  return { but, texts: prompts.map(({ text }) => digestOfJson(text)) }
}

/**
 * The sources with those prompts alone that are worded otherwise than when they were marked: a graph of them tells what
 * must be made, when all else is up to date. Null where the sets changed otherwise, and where several prompts of a set
 * did: into which batches they fall, the whole set says.
 */
export function reworded(sources: Sources, before: PromptMarks): Sources | null {
  if (Object.keys(before).length !== sources.promptSets.length) return null
  const promptSets: PromptSetSource[] = []
  for (const set of sources.promptSets) {
    const [was, is] = [before[set.name], marksOf(set)]
    if (was?.but !== is.but) return null
    const prompts = set.prompts.filter((_, index) => was.texts[index] !== is.texts[index])
    if (prompts.length > 1) return null
    if (prompts.length === 1) promptSets.push({ ...set, prompts })
  }
  return promptSets.length > 0 ? { ...sources, promptSets } : null
}

/**
 * Whether the plan of some prompts says all of what the whole one would: everything that is made of prompts is to be
 * made, and all else is known as done. Where an answer to one of them is there already, only the whole plan knows what
 * follows from it; where it has several, into which batches they fall; where something is computed of all prompts at
 * once, how much that reads; and where a step takes some prompts alone, whether it takes these.
 */
export function tellsAll(plan: Plan, isDone: (task: PlannedTask) => boolean): boolean {
  const ofPrompts = new Set<string>()
  for (const planned of plan.tasks) {
    const { task, cells, toRun } = planned
    if (task.coordinate.promptSet !== undefined || task.parents.some((parent) => ofPrompts.has(parent.task))) ofPrompts.add(task.id)
    const pools = task.operation.runs.on === 'sidecar' && poolsPrompts(task, plan.graph)
    const several = answersPrompts(task, plan.graph) && cells > 1
    if (several || pools || task.someOfSet || (ofPrompts.has(task.id) ? toRun < cells : !isDone(planned))) return false
  }
  return true
}

/** Whether a task is of a prompt set and of nothing that is. */
function answersPrompts({ coordinate, parents }: Task, { byId }: TaskGraph): boolean {
  return coordinate.promptSet !== undefined && !parents.some(({ task }) => byId.get(task)?.coordinate.promptSet !== undefined)
}

/** How many prompts the set of a task has, of which its graph has one. */
export function promptsOf(sets: readonly PromptSetSource[]): (task: Task) => number {
  const prompts = new Map(sets.map((set) => [set.name, set.prompts.length]))
  return ({ coordinate }) => prompts.get(coordinate.promptSet ?? '') ?? 1
}
