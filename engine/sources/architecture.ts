import { isObject, type Json } from '../core/json.ts'
import type { ModelFacts } from '../core/sources.ts'

/** Other names of a figure in a config.json, by the one that most architectures have. */
const otherNames: Readonly<Record<string, readonly string[]>> = {
  num_hidden_layers: ['n_layer'],
  hidden_size: ['n_embd'],
  num_attention_heads: ['n_head'],
  intermediate_size: ['n_inner'],
  max_position_embeddings: ['n_positions'],
  num_local_experts: ['num_experts', 'n_routed_experts'],
  num_experts_per_tok: ['experts_per_token', 'moe_topk'],
}

/** Where a config.json does not say how much the model reads at once; the sidecar knows, and refuses what is too long. */
const unknownContext = 131_072

/** The figures of the model that a config.json describes; null where it lacks its depth or width. */
export function modelFacts(whole: Record<string, Json>): ModelFacts | null {
  // A model that also sees (Gemma 3) has what is of its text model apart.
  const config = isObject(whole.text_config) ? { ...whole, ...whole.text_config } : whole
  const number: Figure = (key, fallback = 0) =>
    [key, ...(otherNames[key] ?? [])].map((name) => config[name]).find((value) => typeof value === 'number') ?? fallback
  const layers = number('num_hidden_layers')
  const hidden = number('hidden_size')
  if (layers === 0 || hidden === 0) return null
  const heads = number('num_attention_heads', 1)
  const headSize = number('head_dim', hidden / heads)
  const keyValueHeads = number('num_key_value_heads', heads)
  const attention = 2 * hidden * headSize * (heads + keyValueHeads)
  const embedding = number('vocab_size') * hidden * (config.tie_word_embeddings === true ? 1 : 2)
  const { all, active, experts } = feedForward(number, layers, hidden)
  const context = number('max_position_embeddings', unknownContext)
  const change = anglesChangeAt(config)
  // DeepSeek's latent attention keeps keys and values of two sizes for all of its heads.
  const latent = heads * (number('qk_nope_head_dim') + number('qk_rope_head_dim') + number('v_head_dim'))
  return {
    layers,
    hidden,
    parameters: layers * attention + all + embedding,
    activeParameters: layers * attention + active + embedding,
    expertParameters: experts,
    ...(change !== null && change < context ? { contextLength: change, contextReason: anglesChange } : { contextLength: context }),
    keyValues: latent > 0 ? latent : 2 * keyValueHeads * headSize,
  }
}

type Figure = (key: string, fallback?: number) => number

/** The weights between the attention of all layers, those of them that a token passes through, and those of experts. */
function feedForward(number: Figure, layers: number, hidden: number): { all: number; active: number; experts: number } {
  const wide = 3 * hidden * number('intermediate_size', 4 * hidden)
  const experts = number('num_local_experts')
  if (experts === 0) return { all: layers * wide, active: layers * wide, experts: 0 }
  const size = number('moe_intermediate_size')
  const expert = size > 0 ? 3 * hidden * size : wide
  const shared = number('n_shared_experts') * expert + 3 * hidden * number('shared_expert_intermediate_size')
  const dense = number('first_k_dense_replace')
  const routed = (count: number) => (layers - dense) * count * expert
  const others = dense * wide + (layers - dense) * shared
  const active = routed(Math.min(experts, number('num_experts_per_tok', experts)))
  return { all: others + routed(experts), active: others + active, experts: routed(experts) }
}

const anglesChange = 'beyond them its longrope turns all rows of a batch by other angles'

/** Tokens from which on "longrope" turns all rows of a batch by other angles: no row may be longer, as the sidecar says too. */
function anglesChangeAt(config: Record<string, Json>): number | null {
  const rope = [config.rope_parameters, config.rope_scaling].find(isObject)
  if (!rope || (rope.rope_type ?? rope.type) !== 'longrope') return null
  const tokens = rope.original_max_position_embeddings ?? config.original_max_position_embeddings
  return typeof tokens === 'number' ? tokens : null
}
