import path from 'node:path'
import type { Diagnostic } from '../../core/diagnostic.ts'
import type { Json } from '../../core/json.ts'
import type { Sources } from '../../core/sources.ts'
import type { StepKind } from '../../core/step-kind.ts'
import type { Workflow } from '../../spec/workflow.ts'
import { chatsOf } from './chats.ts'
import type { SourceFiles } from '../files/files.ts'

/**
 * Settings of generation_config.json by which transformers' `generate()` picks other tokens also where it does not sample,
 * each with the values that do nothing. Of the file only the ids that end an answer count here.
 */
const unheeded: Readonly<Record<string, readonly Json[]>> = {
  repetition_penalty: [1],
  no_repeat_ngram_size: [0],
  bad_words_ids: [],
  suppress_tokens: [],
  begin_suppress_tokens: [],
  forced_bos_token_id: [],
  forced_eos_token_id: [],
  min_length: [0],
  min_new_tokens: [0],
  sequence_bias: [],
}

/** A warning for each model that answers and has such settings: its answers are not those of `generate()`. */
export function unheededSettings(workflow: Workflow, kinds: readonly StepKind[], sources: Sources, files: SourceFiles): Diagnostic[] {
  const answering = new Set(
    workflow.steps.flatMap((step) => chatsOf(step, kinds, sources).flatMap(({ model, newTokens }) => (newTokens > 0 ? [model] : []))),
  )
  return [...answering].flatMap(({ name, path: folder }): Diagnostic[] => {
    const settings = folder === null ? null : files.json(path.join(folder, 'generation_config.json'))
    const found = Object.entries(settings?.ok ? settings.value : {}).filter(
      ([setting, value]) => value !== null && unheeded[setting] && !unheeded[setting].includes(value),
    )
    if (found.length === 0) return []
    const told = found.map(([setting, value]) => `${setting} ${JSON.stringify(value)}`).join(', ')
    return [
      {
        severity: 'warning',
        rule: 'generation-config',
        message: `the generation_config.json of model "${name}" has ${told}, without which answers are made here`,
        hint: "transformers' `generate()` heeds it: its answers are others; here the workflow alone says how tokens are picked",
        range: workflow.rangeOf(['models', name, 'source'], 'value'),
      },
    ]
  })
}
