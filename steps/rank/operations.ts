import { digestOfJson } from '../../engine/core/digest.ts'
import type { Json } from '../../engine/core/json.ts'
import type { CellOutput, CellSpec, Inputs, Operation, ParentTask, Reader, Task, TextFiles } from '../../engine/core/step-kind.ts'
import { type AnswerRecord, askedOf, difference, expectedTokens, responseScores, scoresRead } from '../common/answers.ts'
import { type MetricName, metricNames } from '../common/metrics.ts'
import { chunks } from '../common/pick.ts'
import { projectionId, vectorAxes, vectorId, type VectorName } from '../common/vectors.ts'
import { pretty, round } from '../common/written.ts'
import { type RankedOrganism, type RankedResponse, rankResponses, responseJson, type ScoredResponse } from './ranking.ts'
import { rankingsFolder } from './shown.ts'
import { cohensD } from '../common/spread.ts'
import { rankingMarkdown } from './tables.ts'

export interface CategorisedVector extends VectorName {
  readonly category: string
}

/** Ranks the responses of all organisms to one prompt set, for every vector. */
export const rankOperation: Operation = {
  name: 'rank',
  version: 6,
  counts: { noun: 'rankings', by: 'cell' },
  axes: vectorAxes,
  cells(task, inputs) {
    const [organisms, cleans] = [foldByVector(inputs.of('organism')), foldByVector(inputs.of('clean'))]
    const answers = foldAnswers(inputs.of('answers'))
    return vectorsOf(task).map((vector): CellSpec => {
      const id = vectorId(vector)
      const [organism, clean] = [organisms, cleans].map((side) => side(vector))
      const known = answers && organism && clean
      return {
        id,
        group: id,
        own: known ? { vector: id, organism: organism.digests, clean: clean.digests, answers } : null,
        inputs: known ? [...organism.outputs, ...clean.outputs] : [],
      }
    })
  },
  batches: (_task, _inputs, groups) => chunks(groups, rankedTogether),
  cost: (task, inputs) => ({ decodeTokens: 0, prefillTokens: 0, depth: 0, bytes: bytesOf(task, inputs), madeOf: scoresRead(inputs) }),
  runs: {
    on: 'engine',
    async *run(task, inputs, cells, read) {
      const vectors = cells.map((cell) => vectorNamed(task, cell.id))
      const responses = await readResponses(inputs, vectors, read)
      for (const [index, vector] of vectors.entries()) yield rankVector(task, vector, responses[index] as ScoredResponse[])
    },
  },
  folder: (task, cell) => folderOf(task, vectorNamed(task, cell.id)),
}

/**
 * Vectors that are one batch: an answer is read once for all of them. The scores of more would take too much memory,
 * and what is written of a night's answers too long a string.
 */
const rankedTogether = 16

/** A token with its score takes so much in the files of a ranking. */
const listedBytes = 30

/** A rough count, for forecasts: of each organism and of all together the highest responses are written, token by token. */
function bytesOf(task: Task, inputs: Inputs): number {
  const { count, sum } = expectedTokens(inputs)
  const lists = inputs.of('answers').length + 1
  return lists * (1000 + (task.data.top as number) * listedBytes * (count > 0 ? sum / count : 0))
}

/** Of each vector, the scored responses of all organisms. */
async function readResponses(inputs: Inputs, vectors: readonly VectorName[], read: Reader): Promise<ScoredResponse[][]> {
  const all: ScoredResponse[][] = vectors.map(() => [])
  for (const parent of byOrganism(inputs.of('organism'))) {
    const { organism } = parent.task.coordinate
    const clean = inputs.of('clean').find((other) => other.task.coordinate.organism === organism)
    const answers = inputs.of('answers').find((other) => other.task.coordinate.organism === organism) as ParentTask
    for (const answer of answers.cells) {
      const record = (await read.json(answer.output as CellOutput)) as unknown as AnswerRecord
      const response = {
        organism: organism as string,
        promptId: answer.spec.id,
        ...askedOf(record),
        tokens: record.tokens.slice(record.prompt_end),
      }
      for (const [index, vector] of vectors.entries()) {
        const id = projectionId(answer.spec.id, vector)
        const scoresOf = async (side: ParentTask) => responseScores(id, await read.scores(side.cell(id)?.output as CellOutput), record)
        const own = await scoresOf(parent)
        all[index]?.push({ ...response, scores: clean ? difference(own, await scoresOf(clean)) : own })
      }
    }
  }
  return all
}

function rankVector(task: Task, vector: CategorisedVector, responses: readonly ScoredResponse[]): TextFiles {
  const { mode, by, promptSet } = task.data as { mode: string; by: MetricName; promptSet: string }
  const top = task.data.top as number
  const ranking = rankResponses(responses, by)
  const title = { trait: vector.trait, layer: vector.layer, method: vector.method, promptSet, mode, by }
  const head = {
    trait: vector.trait,
    layer: vector.layer,
    method: vector.method,
    prompt_set: promptSet,
    mode,
    by,
    responses: responses.length,
  }
  const list = (ranked: readonly RankedResponse[]): Json => ranked.slice(0, top).map((response, index) => responseJson(response, index + 1))
  const organisms = ranking.organisms.map((row) => organismJson(row, mode))
  const files: Record<string, string> = {
    'across_organisms.json': pretty({ ...head, organisms, top: list(ranking.responses) }),
    'summary.md': rankingMarkdown(title, ranking, top),
  }
  for (const { organism } of ranking.organisms) {
    const own = ranking.responses.filter((response) => response.organism === organism)
    files[`by_organism/${organism}.json`] = pretty({ ...head, organism, responses: own.length, top: list(own) })
  }
  return { files, facts: { responses: responses.length } }
}

function organismJson({ organism, responses, means, spread }: RankedOrganism, mode: string): Json {
  const d = cohensD(spread)
  return {
    organism,
    responses,
    ...Object.fromEntries(metricNames.map((name) => [name, round(means[name])])),
    std_of_response_mean: round(spread.std),
    ...(mode === 'diff' ? { cohens_d: d === null ? null : round(d) } : {}),
  }
}

/** So that equal scores rank alike in whatever order the organisms are listed. */
function byOrganism(parents: readonly ParentTask[]): ParentTask[] {
  const name = (parent: ParentTask) => parent.task.coordinate.organism as string
  return [...parents].sort((a, b) => (name(a) < name(b) ? -1 : 1))
}

/** Folder of a ranking: `{category}/{trait}/{set}`, with the vector in its name where a trait has several. */
function folderOf(task: Task, vector: CategorisedVector): string {
  const several = vectorsOf(task).filter((other) => other.trait === vector.trait).length > 1
  const trait = several ? `${vector.trait}@${vector.layer}-${vector.method}` : vector.trait
  return `${rankingsFolder(task)}/${vector.category}/${trait}/${task.data.promptSet}`
}

/** Scores along one vector: one digest for each organism, and the scores themselves. */
interface Folded {
  readonly digests: Record<string, string>
  readonly outputs: CellOutput[]
}

/** Scores by their vector; null while one of them is not known. Each parent is gone through once, for it may be large. */
function foldByVector(parents: readonly ParentTask[]): (vector: VectorName) => Folded | null {
  const folded = new Map<string, Folded>()
  const unknown = new Set<string>()
  for (const parent of parents) {
    for (const [vector, cells] of Map.groupBy(parent.cells, ({ spec }) => spec.id.slice(spec.group.length))) {
      if (unknown.has(vector) || cells.some(({ output }) => output === null)) {
        unknown.add(vector)
        continue
      }
      const { digests, outputs } = remembered(folded, vector)
      digests[parent.task.coordinate.organism as string] = digestOfCells(cells)
      for (const { output } of cells) outputs.push(output as CellOutput)
    }
  }
  return (vector) => {
    const name = projectionId('', vector)
    return unknown.has(name) ? null : remembered(folded, name)
  }
}

function remembered(folded: Map<string, Folded>, vector: string): Folded {
  let known = folded.get(vector)
  if (!known) folded.set(vector, (known = { digests: {}, outputs: [] }))
  return known
}

/** One digest for the answers of each organism; null while one of them is not known. */
function foldAnswers(parents: readonly ParentTask[]): Record<string, string> | null {
  const digests: Record<string, string> = {}
  for (const { task, cells } of parents) {
    if (cells.some(({ output }) => output === null)) return null
    digests[task.coordinate.organism as string] = digestOfCells(cells)
  }
  return digests
}

function digestOfCells(cells: ParentTask['cells']): string {
  return digestOfJson(cells.map(({ spec, output }) => [spec.group, output?.digest ?? null]))
}

function vectorsOf(task: Task): readonly CategorisedVector[] {
  return task.data.vectors as unknown as CategorisedVector[]
}

function vectorNamed(task: Task, id: string): CategorisedVector {
  return vectorsOf(task).find((vector) => vectorId(vector) === id) as CategorisedVector
}
