import type { OrganismSource, PromptSetSource, Sources } from '../core/sources.ts'
import type { TaskGraph } from '../graph/expand.ts'
import type { Forecast } from './forecast.ts'
import type { Plan } from './plan.ts'
import { poolsPrompts } from './pooled.ts'

/** A slice of a run that is done first, and when the rest follows without asking. */
export interface Pilot {
  readonly organisms: number
  /** Of all sets together; null for all. */
  readonly prompts: number | null
  /** The rest follows where it takes at most so many times the hours and bytes that were forecast. */
  readonly goOnWithin: number
}

/** The sources of the slice: the first organisms that the graph puts to work, the first prompts of every set in proportion. */
export function pilotSources(sources: Sources, graph: TaskGraph, { organisms, prompts }: Pilot): Sources {
  const atWork = new Set(graph.tasks.flatMap(({ coordinate }) => coordinate.organism ?? []))
  const chosen: readonly OrganismSource[] = sources.organisms.filter(({ name }) => atWork.has(name)).slice(0, organisms)
  const used = new Set(graph.tasks.flatMap(({ coordinate }) => coordinate.promptSet ?? []))
  const all = sources.promptSets.filter(({ name }) => used.has(name)).reduce((sum, set) => sum + set.prompts.length, 0)
  const share = prompts === null || all === 0 ? 1 : Math.min(1, prompts / all)
  const first = (set: PromptSetSource) => ({ ...set, prompts: set.prompts.slice(0, Math.ceil(share * set.prompts.length)) })
  return { ...sources, organisms: chosen, promptSets: sources.promptSets.map(first) }
}

/**
 * The tasks of a slice that a model or its activations are needed for; nothing of it is ranked or shown. What is made of all
 * prompts at once, and what is made of that, would be another of some of them, and is left to the whole run.
 */
export function modelWork(graph: TaskGraph): TaskGraph {
  const left = new Set<string>()
  const tasks = graph.tasks.filter((task) => {
    const ofRest = task.parents.some((parent) => left.has(parent.task))
    if (ofRest || poolsPrompts(task, graph)) left.add(task.id)
    return task.operation.runs.on === 'sidecar' && !left.has(task.id)
  })
  const kept = new Set(tasks.map(({ id }) => id))
  const children = tasks.map(({ id }) => [id, (graph.children.get(id) ?? []).filter((child) => kept.has(child))] as const)
  return { tasks, byId: new Map(tasks.map((task) => [task.id, task])), children: new Map(children) }
}

/** How long the answers are that are there, of what is allowed; null where there are none. */
export function answeredShare(plan: Plan): number | null {
  let [allowed, answered] = [0, 0]
  for (const { task } of plan.tasks) {
    for (const { spec, output } of plan.settled(task.id).cells) {
      if (!output) continue
      const { decodeTokens } = task.operation.cost(task, plan.inputs(task), spec)
      allowed += decodeTokens
      if (decodeTokens > 0) answered += Number(output.facts.response_tokens ?? 0)
    }
  }
  return allowed > 0 ? answered / allowed : null
}

/** What a pilot says of the whole run. */
export interface PilotResult {
  readonly seconds: number
  readonly bytes: number
  readonly answeredShare: number | null
  /** Of the whole run, before the pilot. */
  readonly forecast: Pick<Forecast, 'seconds' | 'bytes'>
  /** Of the whole run as the pilot measured it: what is done and what is left. */
  readonly projected: { readonly seconds: number; readonly bytes: number }
  readonly goOnWithin: number
}

/** What the whole run will take by what was measured: the pilot itself and, anew, what is left. */
export function projected(ran: { readonly seconds: number; readonly bytes: number }, left: Forecast, share: number | null) {
  return { seconds: ran.seconds + left.seconds, bytes: ran.bytes + (share ?? 1) * left.bytes }
}

/** Whether the rest may follow without asking. */
export function goesOn({ forecast, projected: now, goOnWithin }: PilotResult): boolean {
  return now.seconds <= goOnWithin * forecast.seconds && now.bytes <= goOnWithin * forecast.bytes
}
