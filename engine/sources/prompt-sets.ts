import { isList, isObject, type Json } from '../core/json.ts'
import { isName } from '../core/names.ts'
import { fail, ok, type Result } from '../core/result.ts'
import type { Prompt, PromptSetSource } from '../core/sources.ts'
import type { SourceFiles } from './files/files.ts'
import { type Conversation, readMessages } from './messages.ts'

export const promptSetForm = 'a prompt set is { "prompts": [{ "id": "p1", "text": "…" }] }, and may have a "system_prompt"'

/**
 * Reads a prompt set in trait-interp's format: `{name, description, system_prompt, prompts: [{id, text, note}]}`, or the
 * list of prompts alone; `prompt` stands for `text` too, and `messages` for a conversation of which it is the end. Of its
 * own a prompt may have a `system_prompt`, in place of the set's, and a `prefill`, with which the answer begins. All
 * mistakes of the file at once, in words.
 */
export function readPromptSet(name: string, path: string, files: SourceFiles): Result<PromptSetSource, readonly string[]> {
  const file = files.jsonValue(path)
  if (!file.ok) return fail([file.error])
  const { prompts, system_prompt: systemPrompt = null } = isList(file.value) ? { prompts: file.value } : asObject(file.value)
  if (prompts === undefined || !isList(prompts)) return fail(['it has no list "prompts"'])
  const mistakes: string[] = []
  if (systemPrompt !== null && typeof systemPrompt !== 'string') mistakes.push('"system_prompt" is not text')
  const first = new Map<string, number>()
  const read = prompts.map((prompt, index): Prompt => {
    const mistake = (what: string) => mistakes.push(`prompt ${index + 1}: ${what}`)
    if (!isObject(prompt)) mistake('it is not { "id", "text" }')
    const entry = asObject(prompt)
    const id = typeof entry.id === 'number' ? String(entry.id) : entry.id
    if (typeof id !== 'string' || !isName(id)) mistake(`its id ${JSON.stringify(id)} cannot be a name`)
    else if (first.has(id)) mistake(`the id "${id}" is already used by prompt ${first.get(id)}`)
    else first.set(id, index + 1)
    const asked = askedBy(entry, mistake)
    return { id: String(id), note: typeof entry.note === 'string' ? entry.note : '', ...asked }
  })
  if (mistakes.length > 0) return fail(mistakes)
  return ok({ name, path, systemPrompt: typeof systemPrompt === 'string' ? systemPrompt : null, prompts: read })
}

/** What a prompt asks, after what, and how the answer is to begin. */
function askedBy(entry: Readonly<Record<string, Json>>, mistake: (what: string) => void): Conversation {
  const own = ownTexts(entry, mistake)
  const text = entry.text ?? entry.prompt
  if (entry.messages === undefined) {
    if (typeof text !== 'string' || text.trim() === '') mistake('it has no text')
    return { text: String(text), ...own }
  }
  if (text !== undefined) mistake('it has "messages" and a text: what the user says last is its text')
  const said = readMessages(entry.messages, mistake) ?? { text: '' }
  if (said.systemPrompt !== undefined && own.systemPrompt !== undefined) mistake('its system prompt stands in "messages" and beside them')
  if (said.prefill !== undefined && own.prefill !== undefined) mistake('what its answer begins with stands in "messages" and beside them')
  return { ...said, ...own }
}

/** What a prompt may have of its own; null is as good as nothing. */
function ownTexts(entry: Readonly<Record<string, Json>>, mistake: (what: string) => void): Pick<Prompt, 'systemPrompt' | 'prefill'> {
  const textOf = (name: string): string | null => {
    const value = entry[name] ?? null
    if (value !== null && typeof value !== 'string') mistake(`its "${name}" is not text`)
    if (value === '') mistake(`its "${name}" is empty`)
    return typeof value === 'string' ? value : null
  }
  const [systemPrompt, prefill] = [textOf('system_prompt'), textOf('prefill')]
  return { ...(systemPrompt === null ? {} : { systemPrompt }), ...(prefill === null ? {} : { prefill }) }
}

function asObject(value: Json): Readonly<Record<string, Json>> {
  return isObject(value) ? value : {}
}
