import { layerList } from '../common/layers.ts'
import { patternExpression } from '../../engine/core/file-pattern.ts'
import { isName, namePattern } from '../../engine/core/names.ts'
import type { ParamSchema } from '../../engine/core/schema.ts'
import type { ExpandContext, Problem, Step, StepKind, Task } from '../../engine/core/step-kind.ts'
import { batchSizeSchema, type CaptureParams, captureSchema, captureTask, keepsNothing, layerProblems } from '../common/capture.ts'
import { type Hidden, hiddenOf, hiddenParams } from '../common/hidden.ts'
import { type PatternRule, patternProblems } from '../common/pattern.ts'
import { answersIn, hasAnswers, readingsOf } from '../common/readings.ts'
import { answersTask, type ImportedFile, recordingsTask } from './operations.ts'

const names = (description: string): ParamSchema => ({
  type: 'array',
  items: { type: 'string', pattern: namePattern },
  minItems: 1,
  uniqueItems: true,
  description,
  'x-affects': 'result',
})

const schema: ParamSchema = {
  type: 'object',
  properties: {
    responses: {
      type: 'string',
      minLength: 1,
      description: 'Where the answers are, one JSON file each: a path with {organism}, {set} and {prompt}.',
      'x-ref': 'files',
      'x-affects': 'result',
    },
    of: {
      type: 'string',
      description:
        'In place of `responses`: the imported step whose answers the clean model read; `recordings` are those of the clean model.',
      'x-ref': 'step',
      'x-affects': 'result',
    },
    recordings: {
      type: 'string',
      minLength: 1,
      description: 'Where the states of the response tokens are, one .pt file an answer: a path with {organism}, {set} and {prompt}.',
      'x-ref': 'files',
      'x-affects': 'result',
    },
    layers: { ...layerList, description: 'The layers that are taken of the recordings.', 'x-affects': 'result' },
    ...hiddenParams,
    organisms: names('Whose answers are taken. Default: those of every name that {organism} stands for.'),
    sets: names('To which prompt sets. Default: to every one that {set} stands for.'),
    leave_out: {
      type: 'array',
      items: { type: 'string', pattern: '^[^/]+/[^/]+/[^/]+$' },
      uniqueItems: true,
      description: 'Answers that are not taken, as organism/set/prompt.',
      'x-affects': 'result',
    },
    capture: {
      ...captureSchema,
      description:
        'In place of `recordings`: read the answers again with the organism of their name on, put on `model`, and record the residual stream.',
    },
    batch_size: batchSizeSchema,
  },
}

const parts = ['organism', 'set', 'prompt']
const responseFiles: PatternRule = {
  needs: parts,
  endings: ['.json'],
  example: '../experiment/inference/{organism}/responses/{set}/{prompt}.json',
}
const recordingFiles: PatternRule = {
  needs: parts,
  endings: ['.pt'],
  example: '../experiment/inference/{organism}/raw/residual/{set}/{prompt}.pt',
}

/** Takes answers and recordings that were made elsewhere, in the files of trait-interp. */
export const imported: StepKind = {
  kind: 'imported',
  description: 'Take answers and recordings that were made elsewhere.',
  schema,
  tasks(step, context) {
    const problems = [...shapeProblems(step, context), ...patternsOf(step)]
    if (problems.length > 0) return { tasks: [], problems }
    const answers = step.params.of === undefined ? answersOf(step, context) : { tasks: answersOfStep(step, context), problems: [] }
    if (step.params.capture && answers.problems.length === 0) return readAgain(step, answers.tasks, context)
    if (step.params.recordings === undefined || answers.problems.length > 0) return answers
    const hidden = hiddenOf(step, context)
    if (!hidden) return answers
    if ('rule' in hidden) return { tasks: [], problems: [hidden] }
    const recordings = recordingsOf(step, answers.tasks, hidden, context)
    return { tasks: [...(step.params.of === undefined ? answers.tasks : []), ...recordings.tasks], problems: recordings.problems }
  },
}

/** Imported answers that are recorded here, with the organisms that the workflow has. */
function readAgain(step: Step, answers: Task[], context: ExpandContext): { tasks: Task[]; problems: Problem[] } {
  const base = context.sources.models.get(step.params.model as string)
  if (!base) return { tasks: [], problems: [] }
  const known = context.sources.organisms.map(({ name }) => name)
  const unknown = answers.map((task) => task.row).filter((name, index, all) => !known.includes(name) && all.indexOf(name) === index)
  const { layers } = step.params.capture as unknown as CaptureParams
  const problems = [
    ...layerProblems(layers, { base, adapter: null }, ['capture', 'layers']),
    ...unknown.map((name) => ({
      rule: 'unknown-organism',
      message: `its answers are recorded with the organism "${name}", which this workflow does not have`,
      hint: 'name its adapter in the list of `organisms`',
      path: ['capture'],
    })),
  ]
  const readings = keepsNothing(step) ? [] : readingsOf(step, answers, context).map(captureTask)
  return { tasks: [...answers, ...readings], problems }
}

/** Parameters that do not go together. */
function shapeProblems({ params }: Step, context: ExpandContext): Problem[] {
  const say = (message: string, hint: string, ...path: string[]): Problem[] => [{ rule: 'imported', message, hint, path }]
  const { responses, of, recordings, layers, capture, model } = params
  if ((responses === undefined) === (of === undefined))
    return say(
      responses === undefined ? 'it names no answers' : '"responses" and "of" both name answers',
      '`responses:` for answers of organisms, `of:` for what the clean model read of those',
      ...(responses === undefined ? [] : ['of']),
    )
  const from = of === undefined ? null : context.step(of as string).step
  if (from && !(from.kind === 'imported' && hasAnswers(from)))
    return say(`"${of}" is no imported step with answers`, 'name one that has `responses`', 'of')
  if (capture !== undefined && (of !== undefined || recordings !== undefined))
    return say(
      '"capture" records answers that have no recordings',
      'leave `recordings` or `capture` out; a replay step reads for the clean model',
      'capture',
    )
  if (capture !== undefined && model === undefined) return say('it does not say on which model the organisms are put', 'name it in `model`')
  if (of !== undefined && recordings === undefined) return say('it names no recordings', 'with `of:`, name those of the clean model')
  if (recordings !== undefined && layers === undefined) return say('it does not say which layers are taken', 'list them in `layers`')
  return []
}

function patternsOf({ params }: Step): Problem[] {
  const check = (name: string, rule: PatternRule) => (params[name] === undefined ? [] : patternProblems(name, params[name] as string, rule))
  return [...check('responses', responseFiles), ...check('recordings', recordingFiles)]
}

interface Found extends ImportedFile {
  readonly organism: string
  readonly set: string
  readonly prompt: string
}

/** The files of a pattern, of the organisms and prompt sets that are asked for. */
function filesOf(step: Step, param: 'responses' | 'recordings', context: ExpandContext): Found[] {
  const expression = patternExpression(step.params[param] as string)
  return [...context.files].flatMap(([name, { path, digest }]) => {
    const { organism, set, prompt } = expression.exec(name)?.groups ?? {}
    return organism === undefined || set === undefined || prompt === undefined ? [] : [{ organism, set, prompt, name, path, digest }]
  })
}

function answersOf(step: Step, context: ExpandContext): { tasks: Task[]; problems: Problem[] } {
  const { organisms, sets, leave_out: without } = step.params as Record<string, string[] | undefined>
  const left = new Set(without)
  const found = filesOf(step, 'responses', context).filter(
    ({ organism, set }) => (organisms?.includes(organism) ?? true) && (sets?.includes(set) ?? true),
  )
  const kept = found.filter((file) => !left.has(idOf(file)))
  const bad = kept.flatMap(({ organism, set, prompt }) => [organism, set, prompt]).find((name) => !isName(name))
  if (bad !== undefined) {
    const message = `"${bad}", of the name of a file, cannot be a name`
    return { tasks: [], problems: [{ rule: 'name', message, path: ['responses'] }] }
  }
  const byTask = Map.groupBy(kept, ({ organism, set }) => `${organism}/${set}`)
  return {
    tasks: [...byTask.values()].map((files) => answersTask(step, coordinateOf(files[0] as Found), byPrompt(files))),
    problems: [
      ...namedInVain(
        'organisms',
        organisms,
        found.map(({ organism }) => organism),
      ),
      ...namedInVain(
        'sets',
        sets,
        found.map(({ set }) => set),
      ),
      ...namedInVain('leave_out', without, found.map(idOf)),
    ],
  }
}

function idOf({ organism, set, prompt }: Found): string {
  return `${organism}/${set}/${prompt}`
}

function coordinateOf({ organism, set }: Found): { organism: string; promptSet: string } {
  return { organism, promptSet: set }
}

function byPrompt(files: readonly Found[]): Record<string, ImportedFile> {
  return Object.fromEntries(files.map(({ prompt, name, path, digest }) => [prompt, { name, path, digest }]))
}

/** Names in a list that no file has. */
function namedInVain(param: string, listed: readonly string[] | undefined, found: readonly string[]): Problem[] {
  const known = new Set(found)
  return (listed ?? []).flatMap((name, index) =>
    known.has(name) ? [] : [{ rule: 'imported', message: `"${name}" is in no name of the files of "responses"`, path: [param, index] }],
  )
}

function answersOfStep(step: Step, context: ExpandContext): Task[] {
  return answersIn(context.step(step.params.of as string).tasks)
}

/** A task for each one with answers; every answer must have a recording. */
function recordingsOf(
  step: Step,
  answers: readonly Task[],
  hidden: Hidden,
  context: ExpandContext,
): { tasks: Task[]; problems: Problem[] } {
  const byTask = Map.groupBy(filesOf(step, 'recordings', context), ({ organism, set }) => `${organism}/${set}`)
  const lacking: string[] = []
  const tasks = answers.map((task) => {
    const { organism, promptSet } = task.coordinate
    const files = byPrompt(byTask.get(`${organism}/${promptSet}`) ?? [])
    const prompts = Object.keys(task.data.files as object)
    lacking.push(...prompts.filter((prompt) => files[prompt] === undefined).map((prompt) => `${organism}/${promptSet}/${prompt}`))
    const own = Object.fromEntries(prompts.flatMap((prompt) => (files[prompt] ? [[prompt, files[prompt]]] : [])))
    return recordingsTask(step, task, own as Record<string, ImportedFile>, hidden)
  })
  const problems = hidden.problems(step.params.layers as number[], 'layers')
  if (lacking.length === 0) return { tasks, problems }
  const message = `${lacking.length} answers have no recording, the first ${lacking[0]}`
  const hint = 'name them in `leave_out` of the step with the answers; `dag import` writes that list'
  return { tasks: [], problems: [...problems, { rule: 'not-recorded', message, hint, path: ['recordings'] }] }
}
