import { isList, isObject, type Json } from '../../core/json.ts'
import type { Slot } from '../../core/step-kind.ts'
import type { StagedFile } from '../../store/files/durable.ts'
import type { MadeCell, Outcome } from './work.ts'

/**
 * The sidecar's answer to a batch, with file names in slots replaced by the digests that they will be stored under.
 * @throws Error when it is not of the protocol's form, or does not account for every cell that was asked for.
 */
export function readAnswer(answer: Json, method: string, asked: readonly string[]): Outcome {
  const wrong = (what: string): Error => new Error(`the sidecar's answer to ${method} ${what}; run \`npm run setup\``)
  const listOf = (name: string): Record<string, Json>[] => {
    const list = isObject(answer) ? answer[name] : undefined
    if (list === undefined || !isList(list) || !list.every(isObject)) throw wrong(`has no list of ${name}`)
    return list as Record<string, Json>[]
  }
  const files = listOf('files').map(({ name, digest, bytes }): StagedFile => {
    if (typeof name !== 'string' || !/^[\w.-]+$/.test(name) || name.startsWith('.'))
      throw wrong(`names a file ${JSON.stringify(name ?? null)}`)
    if (typeof digest !== 'string' || !/^[0-9a-f]{64}$/.test(digest) || typeof bytes !== 'number')
      throw wrong(`gives the file ${name} no digest or size`)
    return { name, digest, bytes }
  })
  const digests = new Map(files.map((file) => [file.name, file.digest]))
  const left = new Set(asked)
  const account = (id: string): string => {
    if (!left.delete(id)) throw wrong(`has a cell ${id} that was not asked for, or twice`)
    return id
  }
  const cells = listOf('cells').map(({ id, digest, slot, facts }): MadeCell => {
    account(String(id))
    if (typeof digest !== 'string' || !isObject(slot) || !isObject(facts)) throw wrong(`gives cell ${String(id)} no digest, slot or facts`)
    const { file, ...place } = slot
    const object = digests.get(String(file))
    if (!object) throw wrong(`puts cell ${String(id)} into a file ${String(file)} that it did not write`)
    return { id: String(id), digest, slot: { ...place, object } as Slot, facts: facts as MadeCell['facts'] }
  })
  const failed = listOf('failed').map(({ id, reason }) => ({ id: account(String(id)), reason: String(reason) }))
  if (left.size > 0) throw wrong(`leaves out ${left.size} of ${asked.length} cells, such as ${[...left][0]}`)
  const peak = isObject(answer) ? answer.peak_memory_bytes : undefined
  return { files, cells, failed, peakMemory: typeof peak === 'number' ? peak : undefined }
}
