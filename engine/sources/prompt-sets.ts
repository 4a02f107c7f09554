import { isObject } from '../core/json.ts'
import { isName } from '../core/names.ts'
import { fail, ok, type Result } from '../core/result.ts'
import type { Prompt, PromptSetSource } from '../core/sources.ts'
import type { SourceFiles } from './files/files.ts'

export const promptSetForm = 'a prompt set is { "prompts": [{ "id": "p1", "text": "…" }] }, and may have a "system_prompt"'

/**
 * Reads a prompt set in trait-interp's format: `{name, description, system_prompt, prompts: [{id, text, note}]}`.
 * All mistakes of the file at once, in words.
 */
export function readPromptSet(name: string, path: string, files: SourceFiles): Result<PromptSetSource, readonly string[]> {
  const file = files.json(path)
  if (!file.ok) return fail([file.error])
  const { prompts, system_prompt: systemPrompt } = file.value
  if (!Array.isArray(prompts)) return fail(['it has no list "prompts"'])
  const mistakes: string[] = []
  if (systemPrompt !== undefined && systemPrompt !== null && typeof systemPrompt !== 'string') mistakes.push('"system_prompt" is not text')
  const first = new Map<string, number>()
  const read = prompts.map((prompt: unknown, index: number): Prompt => {
    const entry = isObject(prompt) ? prompt : {}
    const id = typeof entry.id === 'number' ? String(entry.id) : entry.id
    const { text, note } = entry
    if (typeof id !== 'string' || !isName(id)) mistakes.push(`prompt ${index + 1}: its id ${JSON.stringify(id)} cannot be a name`)
    else if (first.has(id)) mistakes.push(`prompt ${index + 1}: the id "${id}" is already used by prompt ${first.get(id)}`)
    else first.set(id, index + 1)
    if (typeof text !== 'string' || text.trim() === '') mistakes.push(`prompt ${index + 1}: it has no text`)
    return { id: String(id), text: String(text), note: typeof note === 'string' ? note : '' }
  })
  if (mistakes.length > 0) return fail(mistakes)
  return ok({ name, path, systemPrompt: typeof systemPrompt === 'string' ? systemPrompt : null, prompts: read })
}
