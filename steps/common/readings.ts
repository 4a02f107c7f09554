import type { ModelSource, OrganismSource, Sources } from '../../engine/core/sources.ts'
import type { ExpandContext, LoadedState, Step, Task } from '../../engine/core/step-kind.ts'
import type { CaptureParams, Reading, Recorded } from './capture.ts'

/** Answers that are read again with the organism on. */
export function organismReading(step: Step, answers: Task, state = answers.state as LoadedState): Reading {
  return reading(step, `${step.name}.capture`, answers, state)
}

/** Imported answers, read with the organism on that the workflow has under that name. */
function importedReading(step: Step, answers: Task, { models, organisms }: Sources): Reading[] {
  const base = models.get(step.params.model as string)
  const organism = organisms.find(({ name }) => name === answers.coordinate.organism)
  if (!base || !organism) return []
  return [organismReading(step, answers, stateOf(base, organism))]
}

/** A base with an organism's adapter on, or without one where the organism is the base itself. */
export function stateOf(base: ModelSource, { name, path, digest }: OrganismSource): LoadedState {
  return { base, adapter: digest === null ? null : { name, path, digest } }
}

/** Answers that are read through the clean model. */
export function cleanReading(step: Step, answers: Task, model: ModelSource): Reading {
  return reading(step, step.name, answers, { base: model, adapter: null })
}

/** All that a generate or an imported step with `capture`, or a replay step, reads again. Nothing for a step of another kind. */
export function readingsOf(step: Step, tasks: readonly Task[], context: ExpandContext): Reading[] {
  if (!step.params.capture) return []
  if (step.kind === 'generate') return answersIn(tasks).map((answers) => organismReading(step, answers))
  if (step.kind === 'imported') return answersIn(tasks).flatMap((answers) => importedReading(step, answers, context.sources))
  const model = context.sources.models.get(step.params.through as string)
  return model ? answersIn(context.step(step.params.of as string).tasks).map((answers) => cleanReading(step, answers, model)) : []
}

/** Whether a step has answers of its own: written here, or imported. */
export function hasAnswers({ kind, params }: Step): boolean {
  return kind === 'generate' || (kind === 'imported' && params.of === undefined)
}

export function answersIn(tasks: readonly Task[]): Task[] {
  return tasks.filter((task) => ['generate', 'imported-answers'].includes(task.operation.name))
}

/** The layers that a step has recordings of, made here or imported; undefined where it has none. */
export function recordedLayers({ kind, params }: Step): readonly number[] | undefined {
  return kind === 'imported' && params.recordings ? (params.layers as number[]) : (params.capture as CaptureParams | undefined)?.layers
}

/** How long the states are that a step records or imports; undefined where its model cannot be read, and where it records none. */
export function hiddenOfRecordings(step: Step, tasks: readonly Task[], context: ExpandContext): number | undefined {
  const [first] = readingsOf(step, tasks, context)
  const imported = tasks.find((task) => task.operation.name === 'imported-recordings')
  return first?.state.base.facts.hidden ?? (imported?.shared.hidden as number | undefined)
}

/** All recordings that a step makes or imports. */
export function recordingsOf(step: Step, tasks: readonly Task[], context: ExpandContext): Recorded[] {
  if (step.kind !== 'imported' || step.params.capture) return readingsOf(step, tasks, context)
  const answers = answersIn(step.params.of === undefined ? tasks : context.step(step.params.of as string).tasks)
  return tasks
    .filter((task) => task.operation.name === 'imported-recordings')
    .map(({ id, parents }) => ({ id, step: step.name, answers: answers.find((task) => task.id === parents[0]?.task) as Task }))
}

function reading(step: Step, stage: string, answers: Task, state: LoadedState): Reading {
  return {
    id: `${stage}/${answers.coordinate.organism}/${answers.coordinate.promptSet}`,
    step: step.name,
    stage,
    answers,
    state,
    capture: step.params.capture as unknown as CaptureParams,
    batchSize: step.params.batch_size as number,
  }
}
