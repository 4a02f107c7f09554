import { readFileSync, statSync } from 'node:fs'
import { isObject, type Json } from '../core/json.ts'
import { fail, ok, type Result } from '../core/result.ts'

const maxTextBytes = 100_000_000

/** Reads a UTF-8 text file that a workflow points at, or says in words why it cannot be read. */
export function readText(path: string): Result<string, string> {
  try {
    const stat = statSync(path)
    if (!stat.isFile()) return fail('it is not a regular file')
    if (stat.size > maxTextBytes) return fail(`it holds ${stat.size} bytes; at most ${maxTextBytes} are read`)
    return ok(new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path)))
  } catch (error) {
    return fail(inWords(error))
  }
}

/** Reads a JSON file that must hold an object. */
export function readJsonObject(path: string): Result<Record<string, Json>, string> {
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
  if (code === 'EACCES' || code === 'EPERM') return 'it may not be read'
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'it is not UTF-8'
  return error instanceof Error ? error.message : String(error)
}
