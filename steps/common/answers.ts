import { digestOfJson } from '../../engine/core/digest.ts'
import type { Turn } from '../../engine/core/sources.ts'
import type { CellOutput, Components, Inputs, ParentTask, Reader } from '../../engine/core/step-kind.ts'
import { projectionId, type VectorName } from './vectors.ts'

/** An answer with its scores along every vector, one score a response token. */
export interface ScoredAnswer {
  readonly promptId: string
  readonly prompt: string
  /** What was said before it. */
  readonly earlier?: readonly Turn[]
  /** With what the answer was made to begin. */
  readonly prefill?: string
  /** Of the response, behind it. */
  readonly tokens: readonly string[]
  readonly scores: readonly { readonly vector: VectorName; readonly organism: Float32Array; readonly clean: Float32Array | null }[]
}

/**
 * Key components of what is made from the answers and scores of one organism and prompt set: a digest of each side
 * and of the answers, over the names of their cells and their outputs. Null while one of them is not known.
 */
export function answersKey(inputs: Inputs): { own: Components; outputs: CellOutput[] } | null {
  const own: Record<string, string | null> = {}
  const outputs: CellOutput[] = []
  for (const role of ['organism', 'clean', 'answers']) {
    const cells = inputs.of(role).flatMap((parent) => parent.cells)
    if (cells.some(({ output }) => output === null)) return null
    own[role] = cells.length === 0 ? null : digestOfJson(cells.map(({ spec, output }) => [spec.id, (output as CellOutput).digest]))
    outputs.push(...cells.map(({ output }) => output as CellOutput))
  }
  return { own, outputs }
}

const expected = new WeakMap<Inputs, { readonly count: number; readonly sum: number }>()

/** How many answers a task reads, and their tokens in all; those of an answer that is not there yet are as many as it may have. */
export function expectedTokens(inputs: Inputs): { readonly count: number; readonly sum: number } {
  let known = expected.get(inputs)
  if (!known) {
    const tokens = inputs
      .of('answers')
      .flatMap(({ task, cells }) => cells.map(({ spec }) => task.operation.cost(task, inputs, spec).decodeTokens))
    expected.set(inputs, (known = { count: tokens.length, sum: tokens.reduce((sum, count) => sum + count, 0) }))
  }
  return known
}

/** How many scores along a vector a task reads: those of an answer lie on one side or on both. */
export function scoresRead(inputs: Inputs): number {
  return expectedTokens(inputs).count * (inputs.of('clean').length > 0 ? 2 : 1)
}

/** Of how many cells something is made that holds every answer with its scores along so many vectors. */
export function madeOfAnswers(inputs: Inputs, vectors: number): number {
  return expectedTokens(inputs).count + vectors * scoresRead(inputs)
}

/** Reads every answer once, with its scores. */
export async function readAnswers(inputs: Inputs, vectors: readonly VectorName[], read: Reader): Promise<ScoredAnswer[]> {
  const [organism] = inputs.of('organism') as [ParentTask]
  const [clean] = inputs.of('clean')
  const [answers] = inputs.of('answers') as [ParentTask]
  const scoresOf = async (side: ParentTask, id: string, record: AnswerRecord) =>
    responseScores(`${side.task.id}:${id}`, await read.scores(side.cell(id)?.output as CellOutput), record)
  const all: ScoredAnswer[] = []
  for (const { spec, output } of answers.cells) {
    const record = (await read.json(output as CellOutput)) as unknown as AnswerRecord
    const tokens = record.tokens.slice(record.prompt_end)
    const scores: ScoredAnswer['scores'][number][] = []
    for (const vector of vectors) {
      const id = projectionId(spec.id, vector)
      const own = await scoresOf(organism, id, record)
      scores.push({ vector, organism: own, clean: clean ? await scoresOf(clean, id, record) : null })
    }
    all.push({ promptId: spec.id, ...askedOf(record), tokens, scores })
  }
  return all
}

/** What an answer is an answer to. */
export function askedOf({ prompt, earlier, prefill }: AnswerRecord): Pick<ScoredAnswer, 'prompt' | 'earlier' | 'prefill'> {
  return { prompt, ...(earlier === undefined ? {} : { earlier }), ...(prefill === undefined ? {} : { prefill }) }
}

/** An answer as it is stored: tokens of prompt and response, the response from `prompt_end` on. */
export interface AnswerRecord {
  readonly prompt: string
  readonly earlier?: readonly Turn[]
  readonly prefill?: string
  readonly tokens: readonly string[]
  readonly prompt_end: number
}

/** The scores of the response, of a recording of the response or of all positions. `name` is for the error. */
export function responseScores(name: string, scores: Float32Array, { tokens, prompt_end: start }: AnswerRecord): Float32Array {
  const response = tokens.length - start
  if (scores.length === tokens.length) return scores.subarray(start)
  if (scores.length === response) return scores
  throw new Error(`${name}: ${scores.length} scores for ${response} response tokens`)
}

/** Organism minus clean, token by token. Both were recorded for the same token ids, so lengths are equal. */
export function difference(organism: ArrayLike<number>, clean: ArrayLike<number>): number[] {
  if (organism.length !== clean.length)
    throw new Error(`${organism.length} scores with the organism, ${clean.length} without: not the same tokens`)
  return Array.from(organism, (score, index) => score - (clean[index] as number))
}
