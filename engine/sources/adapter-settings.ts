import type { Json } from '../core/json.ts'

/** A setting of adapter_config.json that may only have some values, the first where it is absent, and why. */
interface Only {
  readonly allowed: readonly Json[]
  readonly others: string
}

const nothing: readonly Json[] = [null, [], {}]
const otherKind = (...allowed: Json[]): Only => ({ allowed, others: 'is another kind of adapter' })

/**
 * What the sidecar refuses (`sidecar/model/adapter.py`), known before a model is loaded: settings that change the base
 * itself, run code that the adapter names, or would be passed over.
 */
export const onlySettings: Readonly<Record<string, Only>> = {
  bias: { allowed: ['none'], others: 'changes the base' },
  modules_to_save: { allowed: nothing, others: 'changes the base' },
  trainable_token_indices: { allowed: nothing, others: 'changes the base' },
  layer_replication: { allowed: nothing, others: 'changes the base' },
  init_lora_weights: { allowed: [true, false, 'gaussian', 'orthogonal'], others: "takes its part out of the base's weights" },
  alora_invocation_tokens: { allowed: [null], others: 'is on for some tokens only' },
  megatron_config: { allowed: [null, {}], others: 'names code to run' },
  auto_mapping: { allowed: [null, {}], others: 'names code to run' },
  use_qalora: otherKind(false, null),
  use_bdlora: otherKind(null, false),
  velora_config: otherKind(null),
  monteclora_config: otherKind(null),
  arrow_config: otherKind(null),
  kasa_config: otherKind(null),
}

/** Settings that the sidecar's version of PEFT knows beside those; one that it does not know would be passed over. */
export const knownSettings: ReadonlySet<string> = new Set(
  [
    'base_model_name_or_path inference_mode peft_type peft_version revision runtime_config task_type',
    'r lora_alpha lora_dropout lora_bias use_rslora use_dora rank_pattern alpha_pattern fan_in_fan_out',
    'target_modules target_parameters exclude_modules layers_to_transform layers_pattern ensure_weight_tying megatron_core',
    'loftq_config eva_config corda_config lora_ga_config qalora_group_size',
  ].flatMap((names) => names.split(' ')),
)

/** What of adapter_config.json the sidecar would refuse, in words. */
export function settingMistakes(config: Readonly<Record<string, Json>>): string[] {
  const quoted = (name: string) => `its adapter_config.json has "${name}": ${JSON.stringify(config[name])}`
  return Object.entries(config).flatMap(([name, value]) => {
    const only = Object.hasOwn(onlySettings, name) ? onlySettings[name] : undefined
    if (only) return isAmong(value, only.allowed) ? [] : [`${quoted(name)}, which ${only.others} and is not supported`]
    return knownSettings.has(name) || isNothing(value) ? [] : [`${quoted(name)}, a setting that this version of PEFT does not know`]
  })
}

function isAmong(value: Json, allowed: readonly Json[]): boolean {
  return allowed.some((one) => JSON.stringify(one) === JSON.stringify(value))
}

function isNothing(value: Json): boolean {
  return isAmong(value, [...nothing, false, 0, ''])
}
