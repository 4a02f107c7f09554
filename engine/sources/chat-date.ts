import type { Diagnostic } from '../core/diagnostic.ts'
import type { ModelSource, Sources } from '../core/sources.ts'
import type { StepKind } from '../core/step-kind.ts'
import type { Workflow } from '../spec/workflow.ts'
import { chatTemplateIn, isDated } from './chat-template.ts'
import type { SourceFiles } from './files.ts'
import { isDay } from './strftime.ts'

/**
 * Chat templates that put today's date into every prompt. What is asked on another day is another prompt, so organisms of
 * two days, or of the two sides of midnight, would not compare: the workflow says which day it is to be.
 */
export function dateProblems(
  workflow: Workflow,
  kinds: readonly StepKind[],
  sources: Sources,
  files: SourceFiles,
  today: string,
): Diagnostic[] {
  const isAsked = ({ name }: ModelSource) =>
    workflow.steps.some((step) => {
      const chats = kinds.find(({ kind }) => kind === step.kind)?.chats?.(step, sources) ?? []
      return chats.some(({ model }) => model.name === name)
    })
  return [...sources.models.values()].flatMap((model): Diagnostic[] => {
    const mistake = mistakeOf(model, isAsked, files)
    if (!mistake) return []
    const range = workflow.rangeOf(['models', model.name, mistake.at], 'value')
    return [{ severity: 'error', rule: 'chat-date', message: mistake.message, hint: mistake.hint(today), range }]
  })
}

function mistakeOf(model: ModelSource, isAsked: (model: ModelSource) => boolean, files: SourceFiles) {
  const { name, path, date } = model
  if (date !== null && !isDay(date))
    return { at: 'date', message: `model "${name}" is told that today is ${date}, a day that there is not`, hint: nameOne }
  const template = path === null ? null : chatTemplateIn(path, files)
  if (template === null) return null
  if (date !== null && !isDated(template))
    return { at: 'date', message: `the chat template of model "${name}" does not ask for the date`, hint: () => 'take `date` out' }
  if (date === null && isDated(template) && isAsked(model))
    return { at: 'source', message: `the chat template of model "${name}" puts today's date into every prompt`, hint: nameOne }
  return null
}

const nameOne = (today: string) => `say which day it is to be, so that answers of other days compare: \`date: ${today}\``
