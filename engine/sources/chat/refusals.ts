import type { Chat } from '../../core/chat.ts'
import type { Diagnostic } from '../../core/diagnostic.ts'
import type { ModelSource, Sources } from '../../core/sources.ts'
import type { Step, StepKind } from '../../core/step-kind.ts'
import type { Workflow } from '../../spec/workflow.ts'
import { placeOf } from './chat-place.ts'
import { canRefuse, type ChatTemplate, chatTemplateIn, openTemplate, Refusal } from './chat-template.ts'
import { chatsOf } from './chats.ts'
import type { SourceFiles } from '../files/files.ts'

/**
 * Prompt sets and contrast sets that the chat template of the model that reads them refuses, as some do with a system
 * prompt: one mistake a step and file. Of each file the first chat is tried, since what is refused are roles, not words.
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
    const firsts = [...Map.groupBy(chats, ({ model, of }) => `${model.name} ${of.source} ${of.name}`).values()].map(
      ([first]) => first as Chat,
    )
    for (const chat of firsts) {
      let template = templates.get(chat.model)
      if (template === undefined) templates.set(chat.model, (template = await templateOf(chat.model, files)))
      const refused = template && refusalOf(template, chat.prompt, chat.system)
      if (refused) problems.push(problemOf(workflow, step, chat, refused, refusalOf(template as ChatTemplate, chat.prompt, null) === null))
    }
  }
  return problems
}

/** The template of a model, null where it is not on this machine, refuses nothing, or needs more of Jinja than is here. */
async function templateOf(model: ModelSource, files: SourceFiles): Promise<ChatTemplate | null> {
  const text = model.path === null ? null : chatTemplateIn(model.path, files)
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
  const what = plain ? 'the system prompt' : `the ${noun}s`
  return {
    severity: 'error',
    rule: 'chat-template',
    message: `step "${step.name}": the chat template of model "${chat.model.name}" refuses ${what} of ${file}: ${refusal}`,
    hint: plain
      ? "take `system_prompt` out of the file and put its text before the prompts', or use a chat template that takes one"
      : 'use a model or a chat template that takes a question of the user without anything before it',
    range: workflow.rangeOf(at, 'value'),
  }
}
