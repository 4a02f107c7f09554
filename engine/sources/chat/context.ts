import type { Chat, LengthMemory } from '../../core/chat.ts'
import type { Diagnostic } from '../../core/diagnostic.ts'
import type { ModelSource, Sources } from '../../core/sources.ts'
import type { Step, StepKind } from '../../core/step-kind.ts'
import type { Workflow } from '../../spec/workflow.ts'
import { type ChatLength, type ChatMeter, chatMeter } from './chat-length.ts'
import { placeOf } from './chat-place.ts'
import { chatsOf } from './chats.ts'
import type { SourceFiles } from '../files/files.ts'

/** A chat that the context of its model cannot hold. */
interface TooLong {
  readonly chat: Chat
  readonly length: ChatLength
}

/** Prompts and contrast pairs that do not fit the context of the model that reads them: one mistake a step and file. */
export async function contextProblems(
  workflow: Workflow,
  kinds: readonly StepKind[],
  sources: Sources,
  files: SourceFiles,
  memory: LengthMemory,
): Promise<Diagnostic[]> {
  const meters = new Map<ModelSource, ChatMeter>()
  const meterOf = (model: ModelSource): ChatMeter => {
    const meter = meters.get(model) ?? chatMeter(model, files, memory)
    meters.set(model, meter)
    return meter
  }
  const problems: Diagnostic[] = []
  for (const step of workflow.steps) {
    const chats = chatsOf(step, kinds, sources)
    for (const [model, read] of Map.groupBy(chats.filter(hasRoom), (chat) => chat.model)) {
      const meter = meterOf(model)
      const doubtful = read.filter((chat) => !meter.surelyFits(chat))
      if (doubtful.length === 0) continue
      const lengths = await meter.measure(doubtful)
      const tooLong = doubtful
        .map((chat, index): TooLong => ({ chat, length: lengths[index] as ChatLength }))
        .filter(({ chat, length }) => length.tokens + chat.newTokens > model.facts.contextLength)
      const byFile = Map.groupBy(tooLong, ({ chat: { of } }) => of.file ?? of.name)
      problems.push(...[...byFile.values()].map((group) => contextProblem(workflow, step, group)))
    }
  }
  return problems
}

/** Where new tokens alone fill the context, its step says so. */
function hasRoom({ newTokens, model }: Chat): boolean {
  return newTokens < model.facts.contextLength
}

/** So many are named, the rest is counted. */
const mostNamed = 5

/** The mistake that chats of one source are too long. */
function contextProblem(workflow: Workflow, step: Step, tooLong: readonly TooLong[]): Diagnostic {
  const { chat } = tooLong[0] as TooLong
  const { facts, name: model } = chat.model
  const { noun, file, at } = placeOf(workflow, chat)
  const named = tooLong.slice(0, mostNamed).map(({ chat: { of }, length }) => `"${of.id}" has ${inWords(length)}`)
  const rest = tooLong.length - named.length
  const longest = tooLong.reduce((most, one) => (one.length.tokens > most.length.tokens ? one : most))
  const more = rest > 0 ? ` and ${rest} more, the longest "${longest.chat.of.id}" with ${inWords(longest.length)}` : ''
  const count = tooLong.length === 1 ? `a ${noun} of ${file} does` : `${tooLong.length} ${noun}s of ${file} do`
  const reason = facts.contextReason === undefined ? '' : ` (${facts.contextReason})`
  const added = chat.newTokens > 0 ? ` with ${chat.newTokens} new ones` : ''
  const left = facts.contextLength - chat.newTokens
  const asked = chat.answers.length > 0 ? ['question', 'answer'] : ['system prompt', 'prompt']
  const parts = chat.model.told.plain ? asked.filter((part) => part !== 'system prompt') : asked
  const room = chat.model.told.plain
    ? `${parts.join(' and ')} may have ${left} tokens${parts.length > 1 ? ' together' : ''}`
    : `${parts.join(', ')} and chat template may have ${left} tokens together`
  const it = tooLong.length === 1 ? 'it' : 'them'
  const remedies =
    chat.newTokens > 0
      ? `shorten ${it}, take ${it} out of the file, or lower max_new_tokens`
      : `shorten ${it} or take ${it} out of the file`
  return {
    severity: 'error',
    rule: 'context',
    message: `step "${step.name}": ${count} not fit the context of model "${model}", ${facts.contextLength} tokens${reason}${added}: ${named.join(', ')}${more}`,
    hint: `${room}: ${remedies}`,
    range: workflow.rangeOf(at, 'value'),
  }
}

function inWords({ tokens, exact }: ChatLength): string {
  return exact ? String(tokens) : `at least ${tokens}`
}
