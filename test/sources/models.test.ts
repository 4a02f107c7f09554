import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { ModelFacts } from '../../engine/core/sources.ts'
import { openSourceFiles } from '../../engine/sources/files.ts'
import { readModel } from '../../engine/sources/models.ts'

/** What planning knows of a model by its config.json alone, or why it cannot be planned with. */
async function factsOf(config: object): Promise<ModelFacts | string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'dag-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(path.join(folder, 'config.json'), JSON.stringify(config))
  const told = { date: null, variables: {} }
  const declaration = {
    source: 'absent',
    revision: null,
    config: 'config.json',
    dtype: 'bfloat16',
    device: 'cpu',
    quantization: null,
    told,
  }
  const files = openSourceFiles({ recall: () => undefined, remember: () => {} })
  const model = await readModel('m', declaration, folder, folder, files)
  return model.ok ? model.value.facts : model.error.message
}

const text = {
  num_hidden_layers: 6,
  hidden_size: 64,
  intermediate_size: 128,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 1000,
  max_position_embeddings: 512,
}
const facts = { layers: 6, hidden: 64, parameters: 349_184, contextLength: 512, keyValues: 64 }

test('the figures of a model are those of its configuration', async () => {
  expect(await factsOf(text)).toEqual(facts)
})

test('of a model that also sees they are those of its text model', async () => {
  const { vocab_size, ...rest } = text
  expect(await factsOf({ model_type: 'gemma3', vocab_size, text_config: rest, vision_config: { hidden_size: 1152 } })).toEqual(facts)
})

test('GPT-2 and its kin have other names for them', async () => {
  expect(await factsOf({ n_layer: 6, n_embd: 64, n_inner: 128, n_head: 4, n_positions: 512, vocab_size: 1000 })).toEqual({
    ...facts,
    parameters: 373_760,
    keyValues: 128,
  })
})

test('where it is not said how much a model reads at once, planning refuses nothing for its length', async () => {
  const { max_position_embeddings: _unsaid, ...rest } = text
  expect(await factsOf(rest)).toEqual({ ...facts, contextLength: 131_072 })
})

test('without layers or their width nothing can be planned', async () => {
  expect(await factsOf({ hidden_size: 64 })).toBe('the config.json of model "m" lacks num_hidden_layers or hidden_size')
})
