import path from 'node:path'
import type { Chat } from '../../core/chat.ts'
import type { Path } from '../../spec/document.ts'
import type { Workflow } from '../../spec/workflow.ts'

/** The file that a chat comes from, as the workflow names it, and where the workflow names it. */
export function placeOf({ prompts, traits }: Workflow, { of: { source, name, file } }: Chat): { noun: string; file: string; at: Path } {
  if (file !== undefined) return { noun: 'scenario', file, at: ['traits', 'from'] }
  return source === 'prompt-set'
    ? { noun: 'prompt', file: path.join(prompts?.from ?? '', `${name}.json`), at: ['prompts', 'sets', prompts?.sets.indexOf(name) ?? 0] }
    : { noun: 'contrast pair', file: path.join(traits?.from ?? '', `${name}.json`), at: ['traits', 'from'] }
}
