import path from 'node:path'
import { digestOfJson } from '../core/digest.ts'
import { isList, isObject, type Json } from '../core/json.ts'
import type { ModelSource } from '../core/sources.ts'
import type { SourceFiles } from './files.ts'

/** How text becomes tokens: what a folder says of it, null for what it does not say. */
interface Speech {
  readonly tokenizer: string | null
  readonly chatTemplate: string | null
}

/**
 * Tells whether an adapter that comes with a tokenizer or a chat template of its own was trained with those of the base.
 * All organisms are asked and answer in the base's, so another one's answers would not be comparable.
 */
export interface SpeechCheck {
  /** Mistakes against a base that is on this machine, in words. */
  misfits(adapter: string, base: ModelSource): Promise<readonly string[]>
}

export function speechCheck(files: SourceFiles): SpeechCheck {
  const tokenizers = new Map<string, string>()
  const known = new Map<string, Promise<Speech>>()

  /** Of what it does: how texts are cut and filled up for batches, which another run may have set, is left out. */
  const tokenizerIn = async (folder: string): Promise<string | null> => {
    const file = path.join(folder, 'tokenizer.json')
    if (!files.exists(file)) return null
    const digest = await files.digest(file)
    let same = tokenizers.get(digest)
    if (same === undefined) {
      const content = files.json(file)
      const { truncation: _cut, padding: _filled, ...rest } = content.ok ? content.value : { unreadable: digest }
      tokenizers.set(digest, (same = digestOfJson(rest as Json)))
    }
    return same
  }
  const speechOf = async (folder: string): Promise<Speech> => ({
    tokenizer: await tokenizerIn(folder),
    chatTemplate: chatTemplateIn(folder, files),
  })

  return {
    async misfits(adapter, base) {
      if (base.path === null) return []
      let theirs = known.get(base.path)
      if (!theirs) known.set(base.path, (theirs = speechOf(base.path)))
      const [own, of] = [await speechOf(adapter), await theirs]
      const differs = (part: keyof Speech) => own[part] !== null && own[part] !== of[part]
      return [
        ...(differs('tokenizer') ? [`its tokenizer.json is not that of model "${base.name}"`] : []),
        ...(differs('chatTemplate') ? [`its chat template is not that of model "${base.name}"`] : []),
      ]
    },
  }
}

/** A file of its own goes before an entry of tokenizer_config.json, which may be a list of templates by name. */
function chatTemplateIn(folder: string, files: SourceFiles): string | null {
  const file = path.join(folder, 'chat_template.jinja')
  if (files.exists(file)) {
    const text = files.text(file)
    return text.ok ? text.value.trim() : null
  }
  const settings = path.join(folder, 'tokenizer_config.json')
  const config = files.exists(settings) ? files.json(settings) : null
  const template = config?.ok ? config.value.chat_template : undefined
  const chosen =
    template !== undefined && isList(template) ? template.find((entry) => isObject(entry) && entry.name === 'default') : template
  const text = isObject(chosen) ? chosen.template : chosen
  return typeof text === 'string' ? text.trim() : null
}
