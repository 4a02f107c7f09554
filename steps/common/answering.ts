import type { Chat } from '../../engine/core/chat.ts'
import { digestOfJson } from '../../engine/core/digest.ts'
import type { Json } from '../../engine/core/json.ts'
import type { ModelSource, PromptSetSource, Turn } from '../../engine/core/sources.ts'
import type { CellSpec, Components, OnSidecar, Operation, Task } from '../../engine/core/step-kind.ts'
import { estimateTokens } from './model.ts'
import { chunks } from './pick.ts'
import { byAnswer, sampleId } from './answer-ids.ts'

/** A prompt of a task that has prompts answered. */
export interface Asked {
  readonly id: string
  readonly text: string
  /** What was said before it. */
  readonly earlier?: readonly Turn[]
  /** Its own; null or absent where that of the task counts. */
  readonly systemPrompt?: string | null
  /** With what the answer begins: read as part of the prompt. */
  readonly prefill?: string
  /** How many answers there are to be, 1 where it is not said. Each is sampled with a seed of its own. */
  readonly samples?: number
}

/** The prompts of a set as a model reads them. */
export function chatsOfSet(model: ModelSource, set: PromptSetSource, newTokens: number): Chat[] {
  return set.prompts.map(({ id, text, earlier, systemPrompt = set.systemPrompt, prefill }) => ({
    model,
    of: { source: 'prompt-set', name: set.name, id },
    system: systemPrompt,
    earlier,
    prompt: text,
    prefill,
    answers: [],
    answerTokens: null,
    newTokens,
  }))
}

/** Has a model answer the `prompts` of a task's data, a cell each. `noun`: what people call the answers. */
export function answering(name: string, noun: string): Operation & { readonly runs: OnSidecar } {
  return {
    name,
    version: 1,
    counts: { noun, by: 'cell' },
    axes: (cell) => byAnswer({ prompt: cell }),
    cells(task) {
      return promptsOf(task).flatMap(({ id: prompt, text, earlier, systemPrompt, prefill, samples = 1 }) =>
        Array.from({ length: samples }, (_, index): CellSpec => {
          const [id, sample] = [sampleId(prompt, index + 1), index + 1]
          const own = {
            prompt: text,
            ...(earlier === undefined ? {} : { earlier }),
            ...(systemPrompt == null ? {} : { system_prompt: systemPrompt }),
            ...(prefill === undefined ? {} : { prefill }),
            ...(sample === 1 ? {} : { sample }),
          }
          return { id, group: id, own, inputs: [] }
        }),
      )
    },
    batches(task, _inputs, groups) {
      return chunks(groups, task.tuning.commitSize as number)
    },
    together: (task) => task.tuning.batchSize as number,
    cost(task, _inputs, cell) {
      const { prompt: asked, earlier = [], prefill } = (cell.own ?? {}) as { prompt?: string; earlier?: readonly Turn[]; prefill?: string }
      const text = [systemPromptOf(task, cell), ...earlier.map(({ content }) => content), asked, prefill].map((part) => part ?? '').join('')
      const prompt = estimateTokens(text)
      const response = task.tuning.maxNewTokens as number
      return { decodeTokens: response, prefillTokens: prompt, depth: 1, bytes: response * 40 + text.length }
    },
    runs: {
      on: 'sidecar',
      method: 'generate',
      params(task, _inputs, cells) {
        const { batchSize, maxNewTokens, temperature, topP, seed } = task.tuning as Record<string, number>
        return {
          max_new_tokens: maxNewTokens as number,
          together: batchSize as number,
          temperature: temperature as number,
          top_p: topP as number,
          cells: cells.map((cell) => ({
            id: cell.id,
            prompt: cell.own?.prompt as string,
            ...(cell.own?.earlier === undefined ? {} : { earlier: cell.own.earlier }),
            system_prompt: systemPromptOf(task, cell),
            ...(cell.own?.prefill === undefined ? {} : { prefill: cell.own.prefill }),
            seed: cellSeed(seed as number, cell.own),
          })),
        }
      },
    },
  }
}

/** A seed for each cell, so that a sampled answer does not depend on the batch it is in. */
function cellSeed(seed: number, own: Components | null): number {
  const { prompt, sample } = own as { prompt: string; sample?: number }
  return Number.parseInt(digestOfJson({ seed, prompt, ...(sample === undefined ? {} : { sample }) }).slice(0, 12), 16)
}

function promptsOf(task: Task): readonly Asked[] {
  return task.data.prompts as unknown as readonly Asked[]
}

function systemPromptOf(task: Task, cell: CellSpec): Json {
  return cell.own?.system_prompt ?? task.shared.system_prompt ?? null
}
