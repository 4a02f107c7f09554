import path from 'node:path'
import { digestOfJson } from '../core/digest.ts'
import { isList, isObject, type Json } from '../core/json.ts'
import { fail, ok, type Result } from '../core/result.ts'
import type { ModelFacts } from '../core/sources.ts'
import { settingMistakes } from './adapter-settings.ts'
import type { SourceFiles } from './files/files.ts'
import type { TensorEntry } from './files/safetensors.ts'

/** A LoRA adapter on this machine: its digest, and what must agree with the base it is put on. */
export interface AdapterFile {
  readonly digest: string
  readonly baseName: string | null
  readonly rank: number
  /** Mistakes against a base of this architecture, in words. */
  misfits(facts: ModelFacts): readonly string[]
}

/** Reads an adapter folder in PEFT's layout. Safetensors only: a pickle is refused, not read. */
export async function readAdapter(folder: string, files: SourceFiles): Promise<Result<AdapterFile, string>> {
  const configPath = path.join(folder, 'adapter_config.json')
  const tensorsPath = path.join(folder, 'adapter_model.safetensors')
  const config = files.json(configPath)
  if (!config.ok) return fail(`its adapter_config.json cannot be used: ${config.error}`)
  if (!files.exists(tensorsPath)) {
    const pickled = files.exists(path.join(folder, 'adapter_model.bin'))
    return fail(
      pickled ? 'it holds pickled weights (adapter_model.bin); only safetensors are loaded' : 'it has no adapter_model.safetensors',
    )
  }
  if (config.value.peft_type !== 'LORA') return fail(`it is ${JSON.stringify(config.value.peft_type)}, not a LoRA adapter`)
  const tensors = files.tensors(tensorsPath)
  if (!tensors.ok) return fail(`its adapter_model.safetensors cannot be used: ${tensors.error}`)
  const { base_model_name_or_path: base, r, ...rest } = config.value
  const mistakes = [...settingMistakes(config.value), ...shapeMistakes(config.value, tensors.value)]
  if (mistakes.length > 0) return fail(mistakes.join('; '))
  const weights = await files.digest(tensorsPath)
  return ok({
    digest: digestOfJson({ config: { ...(rest as Record<string, Json>), r: r ?? null }, weights }),
    baseName: typeof base === 'string' ? base : null,
    rank: typeof r === 'number' ? r : 0,
    misfits: (facts) => misfits(tensors.value, facts),
  })
}

/** What adapter_config.json says of rank and target modules, against the tensors that are there. */
function shapeMistakes(config: Readonly<Record<string, Json>>, tensors: ReadonlyMap<string, TensorEntry>): string[] {
  const adapted = [...tensors].flatMap(([name, { shape }]) => {
    const [module, rest] = name.split('.lora_A.')
    return module && rest && /^(?:[^.]+\.)?weight$/.test(rest) ? [{ module, rank: shape[0] }] : []
  })
  if (adapted.length === 0) return ['its adapter_model.safetensors holds no LoRA weights']
  const mistakes: string[] = []
  const { r, rank_pattern: ranks, target_modules: targets = null, target_parameters: parameters = null } = config
  // Of weights that are parameters of a module (those of experts) only that module is named, and all experts share one A.
  const adaptsParameters = isList(parameters) && parameters.length > 0
  const isTarget = (module: string) => isList(targets) && targets.some((target) => isOf(module, target))
  const otherRank = adapted.find(({ module, rank }) => rank !== r && (!adaptsParameters || isTarget(module)))
  if (otherRank && (!isObject(ranks) || Object.keys(ranks).length === 0))
    mistakes.push(
      `its adapter_config.json says rank ${JSON.stringify(r ?? null)}, and its weights for ${lastPart(otherRank.module)} have rank ${otherRank.rank}`,
    )
  if (!isList(targets)) return mistakes
  const bare = targets.filter((target) => !adapted.some(({ module }) => isOf(module, target)))
  if (bare.length > 0) mistakes.push(`its adapter_config.json names the target modules ${bare.join(', ')}, for which it has no weights`)
  const others = adaptsParameters ? [] : adapted.filter(({ module }) => !isTarget(module))
  const unnamed = new Set(others.map(({ module }) => lastPart(module)))
  if (unnamed.size > 0)
    mistakes.push(`it has weights for ${[...unnamed].join(', ')}, which its adapter_config.json does not name as target modules`)
  return mistakes
}

function isOf(module: string, target: Json): boolean {
  return module === target || module.endsWith(`.${String(target)}`)
}

function lastPart(module: string): string {
  return module.slice(module.lastIndexOf('.') + 1)
}

/** Modules of what a model sees and hears with, whose depth and width are others than its text model's. */
const besideText = /\b(?:vision_|visual|audio_|multi_modal_)/

/** LoRA's A is [rank, in] and B is [out, rank]; the first of these modules read the residual stream, o and down write it. */
function misfits(tensors: ReadonlyMap<string, TensorEntry>, facts: ModelFacts): string[] {
  const found = new Set<string>()
  for (const [name, { shape }] of tensors) {
    if (besideText.test(name)) continue
    const layer = /\.(?:layers|h)\.(\d+)\./.exec(name)
    if (layer && Number(layer[1]) >= facts.layers) found.add(`it adapts layer ${layer[1]}, the base has ${facts.layers} layers`)
    const width = /\.(?:q|k|v|gate|up)_proj\.lora_A\./.test(name)
      ? shape[1]
      : /\.(?:o|down)_proj\.lora_B\./.test(name)
        ? shape[0]
        : undefined
    if (width !== undefined && width !== facts.hidden)
      found.add(`it was trained on a base of hidden size ${width}, this one has ${facts.hidden}`)
  }
  return [...found]
}
