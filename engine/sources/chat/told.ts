import type { Diagnostic } from '../../core/diagnostic.ts'
import { nearest } from '../../core/names.ts'
import type { ModelSource, Sources } from '../../core/sources.ts'
import type { StepKind } from '../../core/step-kind.ts'
import type { Path } from '../../spec/document.ts'
import type { Workflow } from '../../spec/workflow.ts'
import { isDated, templateOf, variablesOf } from './chat-template.ts'
import { chatsOf } from './chats.ts'
import type { SourceFiles } from '../files/files.ts'
import { isDay } from './strftime.ts'

/**
 * What the workflow has chat templates told, against what they ask for. One that puts today's date into every prompt must
 * be told which day it is to be: what is asked on another day is another prompt, so organisms of two days, or of the two
 * sides of midnight, would not compare.
 */
export function toldProblems(
  workflow: Workflow,
  kinds: readonly StepKind[],
  sources: Sources,
  files: SourceFiles,
  today: string,
): Diagnostic[] {
  const isAsked = ({ name }: ModelSource) =>
    workflow.steps.some((step) => chatsOf(step, kinds, sources).some(({ model }) => model.name === name))
  return [...sources.models.values()].flatMap((model) => {
    const template = templateOf(model, files)
    const mistakes = model.told.plain
      ? plainMistakes(model)
      : [
          ...missingTemplate(model, template, isAsked),
          ...dateMistakes(model, template, isAsked, today),
          ...variableMistakes(model, template),
        ]
    return mistakes.map(
      ({ rule, at, of, message, hint }): Diagnostic => ({
        severity: 'error',
        rule,
        message,
        ...(hint ? { hint } : {}),
        range: workflow.rangeOf(['models', model.name, ...at], of),
      }),
    )
  })
}

interface Mistake {
  readonly rule: string
  readonly at: Path
  readonly of: 'key' | 'value'
  readonly message: string
  readonly hint: string | undefined
}

/** Where there is no template, nothing can be told it. */
function plainMistakes({ name, told }: ModelSource): Mistake[] {
  const settings = [...(told.date === null ? [] : ['date']), ...(Object.keys(told.variables).length === 0 ? [] : ['chat_template_kwargs'])]
  return settings.map((setting): Mistake => {
    const message = `model "${name}" has no chat template (\`chat_template: none\`) that could be told its \`${setting}\``
    return { rule: 'chat-template', at: [setting], of: 'key', message, hint: `take \`${setting}\` out` }
  })
}

function missingTemplate(model: ModelSource, template: string | null, isAsked: (model: ModelSource) => boolean): Mistake[] {
  if (template !== null || model.path === null || !isAsked(model)) return []
  const message = `model "${model.name}" (${model.origin}) has no chat template to be asked in`
  const hint =
    'of a base model write `chat_template: none`: its prompts are then plain text that it continues; of a chat model put its chat_template.jinja beside the weights'
  return [{ rule: 'chat-template', at: ['source'], of: 'value', message, hint }]
}

function dateMistakes(model: ModelSource, template: string | null, isAsked: (model: ModelSource) => boolean, today: string): Mistake[] {
  const { name, told } = model
  const mistake = (at: string, message: string, hint: string): Mistake[] => [{ rule: 'chat-date', at: [at], of: 'value', message, hint }]
  const nameOne = `say which day it is to be, so that answers of other days compare: \`date: ${today}\``
  if (told.date !== null && !isDay(told.date))
    return mistake('date', `model "${name}" is told that today is ${told.date}, a day that there is not`, nameOne)
  if (template === null) return []
  if (told.date !== null && !isDated(template))
    return mistake('date', `the chat template of model "${name}" does not ask for the date`, 'take `date` out')
  if (told.date === null && isDated(template) && isAsked(model))
    return mistake('source', `the chat template of model "${name}" puts today's date into every prompt`, nameOne)
  return []
}

/** Transformers or the engine give these to every template. */
const given = ['messages', 'tools', 'documents', 'add_generation_prompt']

function variableMistakes({ name, told }: ModelSource, template: string | null): Mistake[] {
  const variables = Object.keys(told.variables)
  if (template === null || variables.length === 0) return []
  const known = variablesOf(template).filter((variable) => !given.includes(variable))
  return variables.flatMap((variable): Mistake[] => {
    if (known.includes(variable)) return []
    const near = nearest(variable, known)
    const message = given.includes(variable)
      ? `"${variable}" is given to every chat template; it cannot be set`
      : `the chat template of model "${name}" has no variable "${variable}"`
    return [{ rule: 'chat-template', at: ['chat_template_kwargs', variable], of: 'key', message, hint: near && `did you mean "${near}"?` }]
  })
}
