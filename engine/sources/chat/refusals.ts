import type { Chat } from '../../core/chat.ts'
import type { Diagnostic } from '../../core/diagnostic.ts'
import type { ModelSource, Sources } from '../../core/sources.ts'
import type { Step, StepKind } from '../../core/step-kind.ts'
import type { Workflow } from '../../spec/workflow.ts'
import { placeOf } from './chat-place.ts'
import { canRefuse, type ChatTemplate, openTemplate, Refusal, templateOf } from './chat-template.ts'
import { chatsOf } from './chats.ts'
import type { SourceFiles } from '../files/files.ts'

/**
 * Prompt sets and contrast sets that the chat template of the model that reads them refuses, as some do with a system
 * prompt: one mistake a step and file. Of each file the first chat with a system prompt is tried
 * and the first without, since what is refused are roles, not words.
 */
export async function refusals(
  workflow: Workflow,
  kinds: readonly StepKind[],
  sources: Sources,
  files: SourceFiles,
): Promise<Diagnostic[]> {
  const templates = new Map<ModelSource, ChatTemplate | null>()
  const problems: Diagnostic[] = []
  for (const step of workflow.steps) {
    const chats = chatsOf(step, kinds, sources)
    const firsts = [
      ...Map.groupBy(chats, ({ model, of, system }) => `${model.name} ${of.source} ${of.file ?? of.name} ${system === null}`).values(),
    ].map(([first]) => first as Chat)
    for (const chat of firsts) {
      let template = templates.get(chat.model)
      if (template === undefined) templates.set(chat.model, (template = await refusingTemplate(chat.model, files)))
      const refused = template && refusalOf(template, chat.prompt, chat.system)
      if (refused) problems.push(problemOf(workflow, step, chat, refused, refusalOf(template as ChatTemplate, chat.prompt, null) === null))
    }
  }
  return problems
}

/** What stands for the template of a model that is asked plain text. */
const plainText: ChatTemplate = {
  render(prompt, system) {
    if (system !== null) throw new Refusal('there is no place for one')
    return prompt
  },
}

/** The template of a model, null where it is not on this machine, refuses nothing, or needs more of Jinja than is here. */
async function refusingTemplate(model: ModelSource, files: SourceFiles): Promise<ChatTemplate | null> {
  if (model.told.plain) return plainText
  const text = templateOf(model, files)
  if (model.path === null || text === null || !canRefuse(text)) return null
  try {
    return await openTemplate(text, model.path, files, model.told)
  } catch {
    return null
  }
}

/** What a template says of a chat that it refuses; null of one that it takes, or cannot be told here. */
function refusalOf(template: ChatTemplate, prompt: string, system: string | null): string | null {
  try {
    template.render(prompt, system)
    return null
  } catch (error) {
    return error instanceof Refusal ? error.message : null
  }
}

/** `plain`: without its system prompt the chat would be taken. */
function problemOf(workflow: Workflow, step: Step, chat: Chat, refusal: string, plain: boolean): Diagnostic {
  const { noun, file, at } = placeOf(workflow, chat)
  const { told, name } = chat.model
  const what = plain ? 'the system prompt' : `the ${noun}s`
  const message = told.plain
    ? `model "${name}" is asked plain text, which has no place for ${what} of ${file}`
    : `the chat template of model "${name}" refuses ${what} of ${file}: ${refusal}`
  const orTemplate = told.plain ? '' : ', or use a chat template that takes one'
  return {
    severity: 'error',
    rule: 'chat-template',
    message: `step "${step.name}": ${message}`,
    hint: plain
      ? `take \`system_prompt\` out of the file and put its text before the prompts'${orTemplate}`
      : 'use a model or a chat template that takes a question of the user without anything before it',
    range: workflow.rangeOf(at, 'value'),
  }
}
