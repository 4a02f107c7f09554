import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import type { Digest } from '../../core/digest.ts'
import { contentOf, type DigestMemory, isSettled, type Look, lookText, mostRead } from '../../core/file-stamp.ts'
import { isObject, type Json } from '../../core/json.ts'
import { fail, ok, type Result } from '../../core/result.ts'
import { digestOfFile } from './digests.ts'
import { readTensorHeader, type TensorEntry } from './safetensors.ts'

/** Every way in which sources are read. What was looked at, also in vain, is noted. */
export interface SourceFiles {
  /** A UTF-8 text, or in words why it cannot be read. */
  text(path: string): Result<string, string>
  /** A JSON file that must hold an object. */
  json(path: string): Result<Record<string, Json>, string>
  /** A JSON file, whatever it holds. */
  jsonValue(path: string): Result<Json, string>
  exists(path: string): boolean
  /** Names in a folder, sorted; throws when it cannot be read. */
  list(folder: string): string[]
  /** Throws when it is no readable regular file. */
  digest(path: string): Promise<Digest>
  tensors(path: string): Result<ReadonlyMap<string, TensorEntry>, string>
  /**
   * What was looked at and how it was found when it was first looked at: while all of it stays so, reading again gives
   * the same.
   */
  readonly seen: ReadonlyMap<string, Look>
}

const maxTextBytes = 100_000_000

export function openSourceFiles(memory: DigestMemory): SourceFiles {
  const seen = new Map<string, Look>()
  const note = (path: string): string => {
    if (!seen.has(path)) seen.set(path, { stamp: lookAt(path) })
    return path
  }
  const noteContent = (path: string, read: Uint8Array | readonly string[]): void => {
    if (read.length > mostRead) return
    const content = contentOf(read)
    const { stamp = null, content: before = content } = seen.get(path) ?? {}
    // Where two readings differ nobody can say which of them the plan stands on.
    seen.set(path, before === content ? { stamp, content } : { stamp: null })
  }
  const text = (path: string) => readText(note(path), (bytes) => noteContent(path, bytes))
  return {
    seen,
    text,
    json: (path) => jsonObject(text(path)),
    jsonValue: (path) => jsonValue(text(path)),
    exists: (path) => existsSync(note(path)),
    list(folder) {
      const names = readdirSync(note(folder)).sort()
      noteContent(folder, names)
      return names
    },
    digest: (path) => digestOfFile(note(path), memory),
    tensors: (path) => readTensorHeader(note(path)),
  }
}

function lookAt(path: string): string | null {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stat && !isSettled(stat.ctimeNs, Date.now()) ? null : lookText(stat)
}

function readText(path: string, onRead: (bytes: Uint8Array) => void): Result<string, string> {
  try {
    const stat = statSync(path)
    if (!stat.isFile()) return fail('it is not a regular file')
    if (stat.size > maxTextBytes) return fail(`it holds ${stat.size} bytes; at most ${maxTextBytes} are read`)
    const bytes = readFileSync(path)
    onRead(bytes)
    return ok(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    return fail(inWords(error))
  }
}

function jsonObject(text: Result<string, string>): Result<Record<string, Json>, string> {
  const value = jsonValue(text)
  if (!value.ok) return value
  return isObject(value.value) ? ok(value.value) : fail('it does not hold a JSON object')
}

function jsonValue(text: Result<string, string>): Result<Json, string> {
  if (!text.ok) return text
  try {
    return ok(JSON.parse(text.value) as Json)
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
