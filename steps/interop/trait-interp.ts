import type { ExperimentFile, ExperimentReader } from '../../engine/core/experiment.ts'
import type { Json, JsonObject } from '../../engine/core/json.ts'
import type { CellOutput, ParentTask, Task } from '../../engine/core/step-kind.ts'
import { vectorOperations } from '../common/vectors.ts'
import { configOf, extractionVariants, isClean, repository, type TaskOf, tasksById, type Variant, variantOf } from './names.ts'
import { answersId, type Made, type NamedVector, named, places, projectionName, scoredVariant, traitFolder, vectorName } from './places.ts'

/** The operations whose cells become files of an experiment. */
export const exportedOperations: readonly string[] = ['generate', 'elicit', ...vectorOperations, 'capture', 'project', 'score']

/** What an experiment has places for: an answer has its own by organism and prompt, so a step that also steers answers has none. */
export function withPlaces<T extends { readonly task: Task }>(tasks: readonly T[]): T[] {
  const steering = new Set(tasks.flatMap(({ task }) => (task.operation.name === 'steer' ? [task.step] : [])))
  return tasks.filter(({ task }) => !steering.has(task.step))
}

/**
 * The files of an experiment in the layout of trait-interp (github.com/ewernn/trait-interp, MIT), on which its scripts
 * run as they are: organisms are its model variants; what the clean model read of an organism's answers is the prompt set
 * `{set}_replay_{organism}` of its variant `instruct`. Cells that are not made are left out.
 */
export function experimentFiles(made: Made): ExperimentFile[] {
  const { sources, tasks } = made
  const of = (...operations: string[]) => tasks.filter(({ task }) => operations.includes(task.operation.name))
  const answers = new Map(of('generate').map((parent) => [answersId(parent.task), parent]))
  const taskOf = tasksById(tasks)
  const read = new Set(of('capture', 'score').flatMap(({ task }) => (isClean(task, taskOf) ? [answersId(task)] : [])))
  return [
    json('config.json', async () => configOf(sources, tasks)),
    ...[...answers].flatMap(([id, parent]) => [
      ...responses(parent, variantOf(parent.task, false)),
      ...(read.has(id) ? responses(parent, variantOf(parent.task, true)) : []),
    ]),
    ...elicited(of('elicit'), made),
    ...vectors(of(...vectorOperations), made),
    ...projections(of('project', 'score'), answers, made),
    ...recordings(of('capture'), answers, taskOf),
  ]
}

function json(path: string, content: (read: ExperimentReader) => Promise<Json>, needs: readonly CellOutput[] = []): ExperimentFile {
  return { path, is: 'json', content, needs }
}

function responses({ task, cells }: ParentTask, { variant, set }: Variant): ExperimentFile[] {
  const notes = new Map((task.data.prompts as { id: string; note?: string }[]).map(({ id, note }) => [id, note ?? '']))
  const inference_model = repository(task.state?.base.origin)
  return cells.flatMap(({ spec, output }) => {
    if (!output) return []
    return json(places.response({ variant, set }, spec.id), async (read) => {
      const { prompt, response, system_prompt, tokens, token_ids, prompt_end } = (await read.json(output)) as Record<string, Json>
      const recorded = { prompt, response, system_prompt, tokens, token_ids, prompt_end } as JsonObject
      return { ...recorded, inference_model, prompt_note: notes.get(spec.id) ?? '', capture_date: null, tags: [] }
    })
  })
}

/** What vectors were made of where they come from scenarios: a file for each side of a trait, once all of it is there. */
function elicited(parents: readonly ParentTask[], { sources, tasks }: Made): ExperimentFile[] {
  const extraction = extractionVariants(tasks)
  return parents.flatMap(({ task, cells }) => {
    const outputs = cells.flatMap(({ output }) => output ?? [])
    if (outputs.length < cells.length) return []
    return json(places.elicited(task, sources, extraction(task)), async (read) => {
      const answers = await Promise.all(outputs.map((output) => read.json(output) as Promise<Record<string, Json>>))
      return answers.map(({ prompt, response, system_prompt }) => ({ prompt, response, system_prompt }) as JsonObject)
    })
  })
}

/** Vectors of a method in a folder, with what is said of all of them: several steps may have made them. */
function vectors(parents: readonly ParentTask[], { sources, tasks }: Made): ExperimentFile[] {
  const extraction = extractionVariants(tasks)
  const known = parents.flatMap(({ task, cells }) =>
    cells.flatMap(({ spec, output }) => {
      const name = named(spec.id, vectorName)
      return output ? [{ ...name, output, task, folder: places.vectors(task, name, sources, extraction(task)) }] : []
    }),
  )
  return [...Map.groupBy(known, ({ folder }) => folder)].flatMap(([folder, own]) => {
    const [{ task, trait, method }] = own as [(typeof own)[0]]
    const metadata = {
      model: repository(task.state?.base.origin),
      trait: traitFolder({ trait, method }, sources),
      method,
      component: 'residual',
      position: String(task.shared.position ?? 'response'),
      layers: Object.fromEntries(own.map(({ layer, output }) => [layer, layerFacts(output)])),
      timestamp: null,
      input_hashes: {},
    }
    const files = own.map(
      ({ layer, output }): ExperimentFile => ({ path: `${folder}/${places.layerFile(layer)}`, is: 'tensor', tensor: output }),
    )
    return [json(`${folder}/metadata.json`, async () => metadata), ...files]
  })
}

function layerFacts({ facts: { norm, baseline, bias, train_accuracy } }: CellOutput): JsonObject {
  const facts = { norm, baseline, bias, train_acc: train_accuracy }
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as JsonObject
}

/** Scores of one answer along one vector. */
interface Scored extends NamedVector {
  readonly output: CellOutput
  readonly vector: CellOutput
  /** Null where no recording is stored, or it was given up. */
  readonly recording: CellOutput | null
  readonly centered: boolean
}

/** A file for each variant, trait and answer: of one vector, or of several. */
function projections(scores: readonly ParentTask[], answers: ReadonlyMap<string, ParentTask>, made: Made): ExperimentFile[] {
  const taskOf = tasksById(made.tasks)
  const files = new Map<string, { readonly answer: CellOutput; readonly variant: Variant; readonly scored: Scored[] }>()
  for (const { task, cells } of scores) {
    const isRecorded = task.parents.some(({ role }) => role === 'recording')
    const variant = scoredVariant(task, taskOf)
    for (const { spec, output } of cells) {
      const answer = answers.get(answersId(task))?.cell(spec.group)?.output
      const [states, vector] = spec.inputs
      if (!output || !answer || !states || !vector) continue
      const name = named(spec.id, projectionName)
      const path = places.projection(variant, name, made.sources)
      const file = files.get(path) ?? { answer, variant, scored: [] }
      files.set(path, file)
      file.scored.push({
        ...name,
        output,
        vector,
        recording: isRecorded && !states.evicted ? states : null,
        centered: task.shared.centered === true,
      })
    }
  }
  return [...files].map(([path, { answer, variant, scored }]) =>
    json(
      path,
      (read) => projection(read, answer, variant.set, scored, made),
      scored.flatMap(({ recording }) => recording ?? []),
    ),
  )
}

async function projection(read: ExperimentReader, answer: CellOutput, set: string, scored: readonly Scored[], made: Made): Promise<Json> {
  const tokens = { prompt: Number(answer.facts.prompt_tokens), response: Number(answer.facts.response_tokens) }
  const parts = (values: ArrayLike<number>) => {
    const start = values.length === tokens.prompt + tokens.response ? tokens.prompt : 0
    return { prompt: Array.from(values).slice(0, start), response: Array.from(values).slice(start) }
  }
  const own = await Promise.all(
    scored.map(async (each) => ({
      each,
      along: parts(await read.scores(each.output)),
      norms: each.recording && { token_norms: parts(await read.norms(each.recording)) },
    })),
  )
  const head = { prompt_id: scored[0]?.prompt ?? '', prompt_set: set, n_prompt_tokens: tokens.prompt, n_response_tokens: tokens.response }
  const [first] = own
  if (own.length === 1 && first) {
    const { each, along, norms } = first
    return { metadata: { ...head, vector_source: sourceOf(each, made), projection_date: null }, projections: along, ...norms }
  }
  const model = { model: modelOf(scored[0] as Scored, made), component: 'residual' }
  return {
    metadata: { ...head, multi_vector: true, n_vectors: own.length, ...model, projection_date: null },
    multi_vector: true,
    projections: own.map(({ each, along, norms }) => {
      const { method, layer, selection_source, baseline } = sourceOf(each, made) as Record<string, Json>
      return { method, layer, selection_source, baseline, ...along, ...norms } as JsonObject
    }),
  }
}

function modelOf({ vector }: Scored, { tasks }: Made): string {
  return repository(tasks.find(({ task }) => task.id === vector.task)?.task.state?.base.origin)
}

function sourceOf(scored: Scored, made: Made): JsonObject {
  const { trait, layer, method, vector, centered } = scored
  const from = made.tasks.find(({ task }) => task.id === vector.task)?.task
  return {
    model: modelOf(scored, made),
    experiment: made.experiment,
    trait: traitFolder({ trait, method }, made.sources),
    layer,
    method,
    component: 'residual',
    position: String(from?.shared.position ?? 'response'),
    selection_source: 'workflow',
    baseline: Number(vector.facts.baseline ?? 0),
    centered,
  }
}

/** A file for each answer that was read, with all layers of it: several steps may have recorded them. */
function recordings(captures: readonly ParentTask[], answers: ReadonlyMap<string, ParentTask>, taskOf: TaskOf): ExperimentFile[] {
  const known = captures.flatMap(({ task, cells }) =>
    cells.flatMap(({ spec, output }) => {
      const answer = answers.get(answersId(task))?.cell(spec.group)?.output
      if (!output || output.evicted || !answer) return []
      const path = places.recording(variantOf(task, isClean(task, taskOf)), spec.group)
      return [{ path, answer, layer: spec.id.slice(spec.id.lastIndexOf('@') + 1), output }]
    }),
  )
  return [...Map.groupBy(known, ({ path }) => path)].map(([path, own]): ExperimentFile => {
    const { answer } = own[0] as (typeof own)[0]
    return { path, is: 'recording', answer, layers: Object.fromEntries(own.map(({ layer, output }) => [layer, output])) }
  })
}
