import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { ModelFacts } from '../../engine/core/sources.ts'
import { openSourceFiles } from '../../engine/sources/files/files.ts'
import { readModel } from '../../engine/sources/models.ts'
import { quantizationMistake, weightMistake } from '../../engine/sources/stored-weights.ts'

/** What planning knows of a model by its config.json alone, or why it cannot be planned with. */
async function factsOf(config: object): Promise<ModelFacts | string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'dag-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(path.join(folder, 'config.json'), JSON.stringify(config))
  const told = { plain: false, date: null, variables: {} }
  const declaration = {
    source: 'absent',
    revision: null,
    config: 'config.json',
    dtype: 'bfloat16',
    devices: ['cpu'],
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
const facts = {
  layers: 6,
  hidden: 64,
  parameters: 349_184,
  activeParameters: 349_184,
  expertParameters: 0,
  contextLength: 512,
  keyValues: 64,
}

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
    activeParameters: 373_760,
    keyValues: 128,
  })
})

test('of a mixture of experts all weights are counted, and those that a token passes through', async () => {
  const experts = { num_experts: 4, num_experts_per_tok: 2, moe_intermediate_size: 32 }
  const [attention, embedding, expert] = [2 * 64 * 16 * 6, 2 * 1000 * 64, 3 * 64 * 32]
  expect(await factsOf({ ...text, ...experts })).toEqual({
    ...facts,
    parameters: 6 * (attention + 4 * expert) + embedding,
    activeParameters: 6 * (attention + 2 * expert) + embedding,
    expertParameters: 6 * 4 * expert,
  })
  const some = { ...experts, n_shared_experts: 1, first_k_dense_replace: 2 }
  expect(await factsOf({ ...text, ...some })).toEqual({
    ...facts,
    parameters: 6 * attention + 2 * (3 * 64 * 128) + 4 * 5 * expert + embedding,
    activeParameters: 6 * attention + 2 * (3 * 64 * 128) + 4 * 3 * expert + embedding,
    expertParameters: 4 * 4 * expert,
  })
})

test('the figures of published mixtures are those that their authors give', async () => {
  const mixtral = { hidden_size: 4096, intermediate_size: 14_336, num_hidden_layers: 32, num_attention_heads: 32, num_key_value_heads: 8 }
  const oss = { hidden_size: 2880, intermediate_size: 2880, num_hidden_layers: 36, num_attention_heads: 64, num_key_value_heads: 8 }
  const billions = async (config: object) => {
    const found = await factsOf(config)
    return typeof found === 'string' ? found : Math.round(found.parameters / 1e9)
  }
  expect(await billions({ ...mixtral, num_local_experts: 8, num_experts_per_tok: 2, vocab_size: 32_000 })).toBe(47)
  expect(await billions({ ...oss, head_dim: 64, num_local_experts: 128, experts_per_token: 4, vocab_size: 201_088 })).toBe(117)
})

test('latent attention keeps keys and values of two sizes', async () => {
  const latent = { qk_nope_head_dim: 16, qk_rope_head_dim: 8, v_head_dim: 12 }
  expect(await factsOf({ ...text, ...latent })).toEqual({ ...facts, keyValues: 4 * 36 })
})

test('where the longest row of a batch changes the angles of all, no row may be that long', async () => {
  const factors = { type: 'longrope', short_factor: [1], long_factor: [4] }
  const short = { ...facts, contextLength: 64, contextReason: 'beyond them its longrope turns all rows of a batch by other angles' }
  expect(await factsOf({ ...text, rope_scaling: factors, original_max_position_embeddings: 64 })).toEqual(short)
  expect(await factsOf({ ...text, rope_parameters: { rope_type: 'longrope', original_max_position_embeddings: 64 } })).toEqual(short)
  expect(await factsOf({ ...text, rope_scaling: { rope_type: 'llama3', original_max_position_embeddings: 64 } })).toEqual(facts)
})

test('where it is not said how much a model reads at once, planning refuses nothing for its length', async () => {
  const { max_position_embeddings: _unsaid, ...rest } = text
  expect(await factsOf(rest)).toEqual({ ...facts, contextLength: 131_072 })
})

test('without layers or their width nothing can be planned', async () => {
  expect(await factsOf({ hidden_size: 64 })).toBe('the config.json of model "m" lacks num_hidden_layers or hidden_size')
})

test('weights of few bits are none without what says how they are quantized, and are not quantized again', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'dag-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const header = Buffer.from(JSON.stringify({ 'q_proj.weight': { dtype: 'F8_E4M3', shape: [2], data_offsets: [0, 2] } }))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  writeFileSync(path.join(folder, 'model.safetensors'), Buffer.concat([length, header, Buffer.alloc(2)]))
  const files = openSourceFiles({ recall: () => undefined, remember: () => {} })
  const config = { quantization_config: { quant_method: 'fp8' } }
  const unsaid = 'q_proj.weight in model.safetensors is quantized (F8_E4M3), and config.json does not say how'
  expect([weightMistake(folder, {}, files), weightMistake(folder, config, files)]).toEqual([unsaid, null])
  const again = 'its weights lie quantized by "fp8", and cannot be quantized to nf4 again'
  expect([quantizationMistake(config, 'nf4'), quantizationMistake(config, null), quantizationMistake({}, 'nf4')]).toEqual([
    again,
    null,
    null,
  ])
})

test('weights that bitsandbytes has quantized are loaded as they lie, by a model that says so', () => {
  const lying = (settings: Record<string, string | boolean>) => ({ quantization_config: { quant_method: 'bitsandbytes', ...settings } })
  const nf4 = lying({ load_in_4bit: true, bnb_4bit_quant_type: 'nf4' })
  const int8 = lying({ load_in_8bit: true })
  expect([quantizationMistake(nf4, 'nf4'), quantizationMistake(int8, 'int8')]).toEqual([null, null])
  expect([
    quantizationMistake(nf4, null),
    quantizationMistake(int8, 'nf4'),
    quantizationMistake(lying({ load_in_4bit: true }), 'nf4'),
  ]).toEqual([
    'its weights lie in nf4: write `quantization: nf4`',
    'its weights lie in int8: write `quantization: int8`',
    'its weights lie quantized by "bitsandbytes" in fp4, and only nf4 and int8 can be read',
  ])
})
