import type { Json } from '../../engine/core/json.ts'
import type { Sources } from '../../engine/core/sources.ts'
import type { ParentTask, Task } from '../../engine/core/step-kind.ts'
import { vectorOperations } from '../common/vectors.ts'

/** The clean model's variant. */
export const clean = 'instruct'

export type TaskOf = (id: string) => Task | undefined

export function tasksById(tasks: readonly ParentTask[]): TaskOf {
  const byId = new Map(tasks.map(({ task }) => [task.id, task]))
  return (id) => byId.get(id)
}

/** Whether a task reads answers with the adapter off that another step has; an organism may be the base itself. */
export function isClean({ state, coordinate, parents }: Task, taskOf: TaskOf): boolean {
  const answers = parents.find(({ role }) => role === 'answers')
  return state !== null && state.adapter === null && taskOf(answers?.task ?? '')?.step !== coordinate.side
}

/** A model variant with a prompt set: an organism with the set, or the clean model with what it read of the organism. */
export interface Variant {
  readonly variant: string
  readonly set: string
}

export function variantOf({ coordinate: { organism, promptSet } }: Task, byCleanModel: boolean): Variant {
  return byCleanModel
    ? { variant: clean, set: `${promptSet}_replay_${organism}` }
    : { variant: organism as string, set: promptSet as string }
}

/** The repository of a model or adapter that has one, else where the workflow says it comes from. */
export function repository(origin: string | undefined): string {
  return (origin ?? '').replace(/^hf:/, '').replace(/@[0-9a-f]{40}$/, '')
}

/** How a step says which tokens stand for an answer, in the words of a path: `response[:5]` is `response__5`. */
export function positionOf({ shared }: Task): string {
  if (shared.position === 'prompt[-1]') return 'prompt_-1'
  const first = /^response\[:(\d+)\]$/.exec(String(shared.position))?.[1]
  return first ? `response__${first}` : 'response_all'
}

/** Which variant vectors are of: the clean model, or a base of their own. Vectors made elsewhere stand with the clean model's. */
export function extractionVariants(tasks: readonly ParentTask[]): (task: Task) => string {
  const { reader } = modelsOf(tasks)
  return ({ state }) => (state === null || state.base.name === reader ? clean : 'base')
}

/** `config.json`: every organism is a variant, with an adapter where it has one. */
export function configOf(sources: Sources, tasks: readonly ParentTask[]): Json {
  const { writer, reader, extractors } = modelsOf(tasks)
  const model = (name: string | undefined) => repository(sources.models.get(name ?? '')?.origin)
  const base = extractors.find((name) => name !== reader)
  return {
    defaults: { extraction: base === undefined ? clean : 'base', application: clean },
    model_variants: {
      ...(base === undefined ? {} : { base: { model: model(base) } }),
      [clean]: { model: model(reader) },
      ...Object.fromEntries(
        sources.organisms.map(({ name, origin, digest }) => [
          name,
          { model: model(writer), ...(digest === null ? {} : { lora: repository(origin) }) },
        ]),
      ),
    },
  }
}

function modelsOf(tasks: readonly ParentTask[]) {
  const loadedBy = (...operations: string[]) => tasks.map(({ task }) => task).filter((task) => operations.includes(task.operation.name))
  const taskOf = tasksById(tasks)
  const extractors = loadedBy(...vectorOperations).flatMap(({ state }) => state?.base.name ?? [])
  const writer = loadedBy('generate')[0]?.state?.base.name
  const reader = loadedBy('capture', 'score').find((task) => isClean(task, taskOf))?.state?.base.name ?? writer ?? extractors[0]
  return { writer, reader, extractors }
}
