import path from 'node:path'
import { isList, isObject } from '../core/json.ts'
import type { SourceFiles } from './files.ts'

/**
 * The chat template in a folder, as it is written; null where there is none. A file of its own goes before an entry of
 * tokenizer_config.json, which may be a list of templates by name.
 */
export function chatTemplateIn(folder: string, files: SourceFiles): string | null {
  const file = path.join(folder, 'chat_template.jinja')
  if (files.exists(file)) {
    const text = files.text(file)
    return text.ok ? text.value : null
  }
  const settings = path.join(folder, 'tokenizer_config.json')
  const config = files.exists(settings) ? files.json(settings) : null
  const template = config?.ok ? config.value.chat_template : undefined
  const chosen =
    template !== undefined && isList(template) ? template.find((entry) => isObject(entry) && entry.name === 'default') : template
  const text = isObject(chosen) ? chosen.template : chosen
  return typeof text === 'string' ? text : null
}
