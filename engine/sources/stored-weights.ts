import path from 'node:path'
import { isObject, type Json } from '../core/json.ts'
import type { SourceFiles } from './files/files.ts'

/** Methods of quantized checkpoints that the sidecar widens to the model's dtype (`sidecar/model/quantized.py`). */
const widened = ['mxfp4', 'fp8']
/** What bitsandbytes makes of weights, on loading or before. */
const quantizations = ['nf4', 'int8']

/** What is wrong with how the weights that a config.json tells of are quantized. */
export function quantizationMistake(config: Record<string, Json>, wanted: string | null): string | null {
  const method = storedMethod(config)
  if (method === null) return null
  if (method === 'bitsandbytes') return lyingMistake(storedSettings(config) ?? {}, wanted)
  if (wanted !== null) return `its weights lie quantized by "${method}", and cannot be quantized to ${wanted} again`
  if (widened.includes(method)) return null
  return `its weights lie quantized by "${method}", and only ${widened.join(' and ')} can be widened; take those in bfloat16`
}

/** Weights that bitsandbytes has quantized are loaded as they lie, on the devices that it runs on. */
function lyingMistake(stored: Record<string, Json>, wanted: string | null): string | null {
  const lying = stored.load_in_8bit === true ? 'int8' : String(stored.bnb_4bit_quant_type ?? 'fp4')
  if (!quantizations.includes(lying))
    return `its weights lie quantized by "bitsandbytes" in ${lying}, and only ${quantizations.join(' and ')} can be read`
  return lying === wanted ? null : `its weights lie in ${lying}: write \`quantization: ${lying}\``
}

/** How weights lie quantized, null for those that do not. */
export function storedMethod(config: Record<string, Json>): string | null {
  const stored = storedSettings(config)
  if (!stored) return null
  return typeof stored.quant_method === 'string' ? stored.quant_method : 'compressed-tensors'
}

function storedSettings(config: Record<string, Json>): Record<string, Json> | null {
  const text = isObject(config.text_config) ? config.text_config : {}
  const stored = [config, text].flatMap((part) => [part.quantization_config, part.compression_config]).find(isObject)
  return stored && Object.keys(stored).length > 0 ? stored : null
}

/** Numbers of so few bits are weights only together with scales, of which the config.json would have to tell. */
const narrow = /^(?:F8|F6|F4|I8$|U8$)/

/** What is wrong with the weights in a folder: none, a shard that its index names and that is not there, a broken file, other numbers. */
export function weightMistake(folder: string, config: Record<string, Json>, files: SourceFiles): string | null {
  const present = files.list(folder).filter((file) => file.endsWith('.safetensors'))
  if (present.length === 0) {
    const pickled = files.list(folder).some((file) => /^pytorch_model.*\.bin$/.test(file))
    return pickled ? 'its weights are pickled; only safetensors are loaded' : 'its folder holds no safetensors weights'
  }
  const index = path.join(folder, 'model.safetensors.index.json')
  const listed = files.exists(index) ? files.json(index) : null
  const shards = listed?.ok && isObject(listed.value.weight_map) ? new Set(Object.values(listed.value.weight_map)) : []
  const missing = [...shards].find((shard) => !present.includes(String(shard)))
  if (missing !== undefined) return `${String(missing)} is not there, which model.safetensors.index.json names`
  for (const file of present) {
    const header = files.tensors(path.join(folder, file))
    if (!header.ok) return `${file} is damaged: ${header.error}`
    const odd = storedMethod(config) === null ? [...header.value].find(([, { dtype }]) => narrow.test(dtype)) : undefined
    if (odd) return `${odd[0]} in ${file} is quantized (${odd[1].dtype}), and config.json does not say how`
  }
  return null
}
