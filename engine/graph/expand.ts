import type { Diagnostic } from '../core/diagnostic.ts'
import { references } from '../core/schema.ts'
import type { Sources } from '../core/sources.ts'
import type { ExpandContext, FileSource, Step, StepKind, Task } from '../core/step-kind.ts'
import type { Workflow } from '../spec/workflow.ts'
import { orderSteps } from './step-graph.ts'

/** Every task of a workflow, each after its parents. */
export interface TaskGraph {
  readonly tasks: readonly Task[]
  readonly byId: ReadonlyMap<string, Task>
  readonly children: ReadonlyMap<string, readonly string[]>
}

/** Turns steps into tasks: steps × organisms × prompt sets. Pure. */
export function expand(
  workflow: Workflow,
  kinds: readonly StepKind[],
  sources: Sources,
  files: ReadonlyMap<string, FileSource>,
): { readonly graph: TaskGraph; readonly diagnostics: readonly Diagnostic[] } {
  const kindOf = new Map(kinds.map((kind) => [kind.kind, kind]))
  const steps = new Map(workflow.steps.map((step) => [step.name, step]))
  const order = orderSteps([...steps.keys()], edges(workflow, kindOf))
  if (!order.ok) return { graph: emptyGraph, diagnostics: [cycle(workflow, kindOf, order.error)] }

  const diagnostics: Diagnostic[] = []
  const expanded = new Map<string, { step: Step; tasks: readonly Task[] }>()
  const context: ExpandContext = {
    sources,
    files,
    step: (name) => expanded.get(name) ?? { step: steps.get(name) as Step, tasks: [] },
  }
  for (const name of order.value) {
    const step = steps.get(name) as Step
    const { tasks, problems } = (kindOf.get(step.kind) as StepKind).tasks(step, context)
    expanded.set(name, { step, tasks })
    for (const { rule, message, hint, path } of problems) {
      const range = workflow.rangeOf(['steps', name, ...path], 'value')
      diagnostics.push({ severity: 'error', rule, message: `step "${name}": ${message}`, ...(hint ? { hint } : {}), range })
    }
  }
  const tasks = order.value.flatMap((name) => expanded.get(name)?.tasks ?? [])
  const twice = namedTwice(workflow, tasks)
  return twice.length > 0 ? { graph: emptyGraph, diagnostics: [...diagnostics, ...twice] } : { graph: taskGraph(tasks), diagnostics }
}

/** Names by which two steps come to the same stage, and two tasks of a step to the same id. */
function namedTwice(workflow: Workflow, tasks: readonly Task[]): Diagnostic[] {
  const stepOfStage = new Map<string, string>()
  const ids = new Set<string>()
  const mistakes = new Map<string, Diagnostic>()
  const say = (step: string, message: string, hint: string): void => {
    const range = workflow.rangeOf(['steps', step], 'key')
    if (!mistakes.has(message)) mistakes.set(message, { severity: 'error', rule: 'same-name', message, hint, range })
  }
  for (const { id, step, stage } of tasks) {
    const other = stepOfStage.get(stage) ?? step
    stepOfStage.set(stage, other)
    if (other !== step) say(step, `steps "${other}" and "${step}" both have a stage called ${stage}`, 'give one of them another name')
    else if (ids.has(id)) say(step, `step "${step}" has two tasks called ${id}`, 'give the prompt set of that name another one')
    ids.add(id)
  }
  return [...mistakes.values()]
}

/** Steps that come to no task at all although the steps they read have some. */
export function idleSteps(workflow: Workflow, kinds: readonly StepKind[], graph: TaskGraph): Diagnostic[] {
  const kindOf = new Map(kinds.map((kind) => [kind.kind, kind]))
  const leaving = workflow.steps.filter((step) => kindOf.get(step.kind)?.leavesWork?.(step)).map((step) => step.name)
  const busy = new Set([...graph.tasks.map((task) => task.step), ...leaving])
  return workflow.steps
    .filter((step) => !busy.has(step.name) && stepReferences(step, kindOf).every(({ name }) => busy.has(name)))
    .map((step) => ({
      severity: 'error',
      rule: 'no-tasks',
      message: `step "${step.name}" has nothing to work on`,
      hint: `of what a ${step.kind} step takes (organisms, prompts, traits), this workflow names none at all or a list that is empty`,
      range: workflow.rangeOf(['steps', step.name], 'key'),
    }))
}

export const emptyGraph: TaskGraph = { tasks: [], byId: new Map(), children: new Map() }

function taskGraph(tasks: readonly Task[]): TaskGraph {
  const children = new Map<string, string[]>(tasks.map((task) => [task.id, []]))
  for (const task of tasks) for (const parent of task.parents) children.get(parent.task)?.push(task.id)
  return { tasks, byId: new Map(tasks.map((task) => [task.id, task])), children }
}

function edges(workflow: Workflow, kindOf: ReadonlyMap<string, StepKind>): { from: string; to: string }[] {
  return workflow.steps.flatMap((step) => stepReferences(step, kindOf).map(({ name }) => ({ from: name, to: step.name })))
}

function stepReferences(step: Step, kindOf: ReadonlyMap<string, StepKind>) {
  const schema = kindOf.get(step.kind)?.schema
  return schema ? references(schema, step.params).filter((reference) => reference.to === 'step') : []
}

function cycle(workflow: Workflow, kindOf: ReadonlyMap<string, StepKind>, path: readonly string[]): Diagnostic {
  const [first, second] = path as [string, string]
  const step = workflow.steps.find((candidate) => candidate.name === first) as Step
  const reference = stepReferences(step, kindOf).find((candidate) => candidate.name === second)
  return {
    severity: 'error',
    rule: 'cycle',
    message: `steps wait for each other: ${path.join(' → ')}`,
    hint: 'each step of this path reads the next one; take one of the references out',
    range: workflow.rangeOf(['steps', first, ...(reference?.path ?? [])], 'value'),
  }
}
