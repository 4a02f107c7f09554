import path from 'node:path'
import { type Digest, digestOfJson } from '../../core/digest.ts'
import type { Json } from '../../core/json.ts'
import type { ModelSource } from '../../core/sources.ts'
import { chatTemplateIn } from './chat-template.ts'
import type { SourceFiles } from '../files/files.ts'

/**
 * Tells whether an adapter that comes with a tokenizer or a chat template of its own was trained with those of the base.
 * All organisms are asked and answer in the base's, so another one's answers would not be comparable.
 */
export interface SpeechCheck {
  /** Mistakes against a base that is on this machine, in words. */
  misfits(adapter: string, base: ModelSource): Promise<readonly string[]>
}

export function speechCheck(files: SourceFiles): SpeechCheck {
  const contents = new Map<Digest, Digest>()
  const templates = new Map<string, string | null>()

  /** Null where there is no tokenizer. A file's digest is remembered by its stamp. */
  const tokenizerIn = async (folder: string): Promise<Digest | null> => {
    const file = path.join(folder, tokenizerFile)
    return files.exists(file) ? files.digest(file) : null
  }
  /** Of what a tokenizer does: how texts are cut and filled up for batches, which another run may have set, is left out. */
  const contentOf = (folder: string, digest: Digest): Digest => {
    let content = contents.get(digest)
    if (content === undefined) {
      const read = files.json(path.join(folder, tokenizerFile))
      const { truncation: _cut, padding: _filled, ...rest } = read.ok ? read.value : { unreadable: digest }
      contents.set(digest, (content = digestOfJson(rest as Json)))
    }
    return content
  }
  const sameTokenizer = async (adapter: string, base: string): Promise<boolean> => {
    const own = await tokenizerIn(adapter)
    if (own === null) return true
    const theirs = await tokenizerIn(base)
    // Most are copies to the byte: only others are read.
    return own === theirs || (theirs !== null && contentOf(adapter, own) === contentOf(base, theirs))
  }
  const trimmedTemplate = (folder: string): string | null => chatTemplateIn(folder, files)?.trim() ?? null
  const sameTemplate = (adapter: string, base: string): boolean => {
    const own = trimmedTemplate(adapter)
    if (own === null) return true
    if (!templates.has(base)) templates.set(base, trimmedTemplate(base))
    return own === templates.get(base)
  }

  return {
    async misfits(adapter, base) {
      if (base.path === null) return []
      return [
        ...((await sameTokenizer(adapter, base.path)) ? [] : [`its ${tokenizerFile} is not that of model "${base.name}"`]),
        ...(base.told.plain || sameTemplate(adapter, base.path) ? [] : [`its chat template is not that of model "${base.name}"`]),
      ]
    },
  }
}

const tokenizerFile = 'tokenizer.json'
