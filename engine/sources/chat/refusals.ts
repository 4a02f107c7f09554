import type { Chat } from '../../core/chat.ts'
import type { Diagnostic } from '../../core/diagnostic.ts'
import type { ModelSource, Sources } from '../../core/sources.ts'
import type { Step, StepKind } from '../../core/step-kind.ts'
import type { Workflow } from '../../spec/workflow.ts'
import { placeOf } from './chat-place.ts'
import { canRefuse, type ChatTemplate, messagesOf, openTemplate, Refusal, templateOf } from './chat-template.ts'
import { chatsOf } from './chats.ts'
import type { SourceFiles } from '../files/files.ts'

/**
 * Prompt sets and contrast sets that the chat template of the model that reads them refuses, as some do with a system
 * prompt or a conversation: one mistake a step, file and order of roles. Of each the first chat is tried, since what is
 * refused are roles, not words.
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
      ...Map.groupBy(chats, ({ model, of, ...chat }) => `${model.name} ${of.source} ${of.file ?? of.name} ${rolesOf(chat)}`).values(),
    ].map(([first]) => first as Chat)
    for (const chat of firsts) {
      let template = templates.get(chat.model)
      if (template === undefined) templates.set(chat.model, (template = await refusingTemplate(chat.model, files)))
      const refused = template && refusalOf(template, chat)
      if (template && refused) problems.push(problemOf(workflow, step, chat, refused, culpritOf(template, chat)))
    }
  }
  return problems
}

/** What stands for the template of a model that is asked plain text. */
const plainText: ChatTemplate = {
  render(messages) {
    if (messages.length > 1) throw new Refusal('there is no place for it')
    return ''
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
function refusalOf(template: ChatTemplate, chat: Asked): string | null {
  try {
    template.render(messagesOf(chat))
    return null
  } catch (error) {
    return error instanceof Refusal ? error.message : null
  }
}

type Asked = Pick<Chat, 'system' | 'earlier' | 'prompt'>

function rolesOf(chat: Asked): string {
  return messagesOf(chat)
    .map(({ role }) => role)
    .join(' ')
}

type Culprit = 'system prompt' | 'earlier turns' | 'prompt'

/** What a chat that is refused would be taken without. */
function culpritOf(template: ChatTemplate, chat: Asked): Culprit {
  const isTaken = (without: Partial<Asked>) => refusalOf(template, { ...chat, ...without }) === null
  if (chat.earlier !== undefined && isTaken({ earlier: undefined })) return 'earlier turns'
  return isTaken({ system: null }) ? 'system prompt' : 'prompt'
}

function problemOf(workflow: Workflow, step: Step, chat: Chat, refusal: string, culprit: Culprit): Diagnostic {
  const { noun, file, at } = placeOf(workflow, chat)
  const { told, name } = chat.model
  const what = { 'system prompt': 'the system prompt', 'earlier turns': 'the conversations', prompt: `the ${noun}s` }[culprit]
  const message = told.plain
    ? `model "${name}" is asked plain text, which has no place for ${what} of ${file}`
    : `the chat template of model "${name}" refuses ${what} of ${file}: ${refusal}`
  const orTemplate = told.plain ? '' : ', or use a chat template that takes one'
  const hint = {
    'system prompt': `take \`system_prompt\` out of the file and put its text before the prompts'${orTemplate}`,
    'earlier turns': `ask it what stands in one message${orTemplate}`,
    prompt: 'use a model or a chat template that takes a question of the user without anything before it',
  }[culprit]
  return {
    severity: 'error',
    rule: 'chat-template',
    message: `step "${step.name}": ${message}`,
    hint,
    range: workflow.rangeOf(at, 'value'),
  }
}
