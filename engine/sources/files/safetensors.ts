import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { isObject } from '../../core/json.ts'
import { fail, ok, type Result } from '../../core/result.ts'

export interface TensorEntry {
  readonly dtype: string
  readonly shape: readonly number[]
}

const maxHeaderBytes = 100_000_000

/**
 * Reads the header of a safetensors file (8 bytes little-endian length, then JSON) without reading a tensor, and
 * checks that it tells the truth about the file's size.
 * Format: https://huggingface.co/docs/safetensors
 */
export function readTensorHeader(path: string): Result<ReadonlyMap<string, TensorEntry>, string> {
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    if (!fstatSync(file).isFile()) return fail('it is not a regular file')
    const prefix = Buffer.alloc(8)
    if (readSync(file, prefix, 0, 8, 0) < 8) return fail('it is too short for a safetensors file')
    const length = prefix.readBigUInt64LE()
    if (length > BigInt(Math.min(maxHeaderBytes, size - 8))) return fail(`its header claims ${length} bytes, the file has ${size}`)
    const text = Buffer.alloc(Number(length))
    readSync(file, text, 0, text.length, 8)
    return parseHeader(text.toString('utf8'), size - 8 - text.length)
  } finally {
    closeSync(file)
  }
}

function parseHeader(text: string, dataBytes: number): Result<ReadonlyMap<string, TensorEntry>, string> {
  let header: unknown
  try {
    header = JSON.parse(text)
  } catch {
    return fail('its header is not JSON')
  }
  if (!isObject(header)) return fail('its header is not an object')
  const tensors = new Map<string, TensorEntry>()
  const spans: [number, number][] = []
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') continue
    const entry = value as { dtype?: unknown; shape?: unknown; data_offsets?: unknown }
    const [start, end] = Array.isArray(entry.data_offsets) ? (entry.data_offsets as number[]) : []
    if (typeof entry.dtype !== 'string' || !Array.isArray(entry.shape) || start === undefined || end === undefined) {
      return fail(`its header says nothing usable of tensor "${name}"`)
    }
    if (start < 0 || end < start || end > dataBytes) return fail(`tensor "${name}" lies outside the file`)
    spans.push([start, end])
    tensors.set(name, { dtype: entry.dtype, shape: entry.shape as number[] })
  }
  spans.sort((a, b) => a[0] - b[0])
  if (spans.some(([start], index) => index > 0 && start < (spans[index - 1] as [number, number])[1])) return fail('its tensors overlap')
  return ok(tensors)
}
