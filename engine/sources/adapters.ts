import path from 'node:path'
import { digestOfJson } from '../core/digest.ts'
import type { Json } from '../core/json.ts'
import { fail, ok, type Result } from '../core/result.ts'
import type { ModelFacts } from '../core/sources.ts'
import type { SourceFiles } from './files.ts'

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
  const weights = await files.digest(tensorsPath)
  return ok({
    digest: digestOfJson({ config: { ...(rest as Record<string, Json>), r: r ?? null }, weights }),
    baseName: typeof base === 'string' ? base : null,
    rank: typeof r === 'number' ? r : 0,
    misfits: (facts) => misfits(tensors.value, facts),
  })
}

/** LoRA's A is [rank, in] and B is [out, rank]; q, k and v read the residual stream, o writes it. */
function misfits(tensors: ReadonlyMap<string, { shape: readonly number[] }>, facts: ModelFacts): string[] {
  const found = new Set<string>()
  for (const [name, { shape }] of tensors) {
    const layer = /\.layers\.(\d+)\./.exec(name)
    if (layer && Number(layer[1]) >= facts.layers) found.add(`it adapts layer ${layer[1]}, the base has ${facts.layers} layers`)
    const width = /\.(?:q|k|v)_proj\.lora_A\./.test(name) ? shape[1] : /\.o_proj\.lora_B\./.test(name) ? shape[0] : undefined
    if (width !== undefined && width !== facts.hidden)
      found.add(`it was trained on a base of hidden size ${width}, this one has ${facts.hidden}`)
  }
  return [...found]
}
