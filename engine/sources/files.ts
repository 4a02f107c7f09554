import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import type { Digest } from '../core/digest.ts'
import { type DigestMemory, isSettled, lookText } from '../core/file-stamp.ts'
import { isObject, type Json } from '../core/json.ts'
import { fail, ok, type Result } from '../core/result.ts'
import { digestOfFile } from './digests.ts'
import { readTensorHeader, type TensorEntry } from './safetensors.ts'

/** Every way in which sources are read. What was looked at, also in vain, is noted. */
export interface SourceFiles {
  /** A UTF-8 text, or in words why it cannot be read. */
  text(path: string): Result<string, string>
  /** A JSON file that must hold an object. */
  json(path: string): Result<Record<string, Json>, string>
  exists(path: string): boolean
  /** Names in a folder, sorted; throws when it cannot be read. */
  list(folder: string): string[]
  /** Throws when it is no readable regular file. */
  digest(path: string): Promise<Digest>
  tensors(path: string): Result<ReadonlyMap<string, TensorEntry>, string>
  /**
   * What was looked at and how it was found when it was first looked at: while all of it stays so, reading again gives
   * the same. Null where it had changed so recently that a further change might not show.
   */
  readonly seen: ReadonlyMap<string, string | null>
}

const maxTextBytes = 100_000_000

export function openSourceFiles(memory: DigestMemory): SourceFiles {
  const seen = new Map<string, string | null>()
  const note = (path: string): string => {
    if (!seen.has(path)) seen.set(path, lookAt(path))
    return path
  }
  return {
    seen,
    text: (path) => readText(note(path)),
    json: (path) => readJsonObject(note(path)),
    exists: (path) => existsSync(note(path)),
    list: (folder) => readdirSync(note(folder)).sort(),
    digest: (path) => digestOfFile(note(path), memory),
    tensors: (path) => readTensorHeader(note(path)),
  }
}

function lookAt(path: string): string | null {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stat && !isSettled(stat.ctimeNs, Date.now()) ? null : lookText(stat)
}

function readText(path: string): Result<string, string> {
  try {
    const stat = statSync(path)
    if (!stat.isFile()) return fail('it is not a regular file')
    if (stat.size > maxTextBytes) return fail(`it holds ${stat.size} bytes; at most ${maxTextBytes} are read`)
    return ok(new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path)))
  } catch (error) {
    return fail(inWords(error))
  }
}

function readJsonObject(path: string): Result<Record<string, Json>, string> {
  const text = readText(path)
  if (!text.ok) return text
  try {
    const value = JSON.parse(text.value) as unknown
    return isObject(value) ? ok(value) : fail('it does not hold a JSON object')
  } catch (error) {
    return fail(`it is not JSON: ${(error as Error).message}`)
  }
}

function inWords(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'it does not exist'
  if (code === 'EISDIR') return 'it is a folder'
  if (code === 'EACCES' || code === 'EPERM') return 'it may not be read'
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'it is not UTF-8'
  return error instanceof Error ? error.message : String(error)
}
