import path from 'node:path'
import { isObject } from '../core/json.ts'
import { fail, ok, type Result } from '../core/result.ts'
import type { Scenario, Scenarios } from '../core/sources.ts'
import type { SourceFiles } from './files/files.ts'

/** Fewer on a side leave nothing to hold out. */
const fewest = 4

/** Files that may hold a side's scenarios; the first one that is there does. */
const filesOf = (side: string): string[] => [`${side}.jsonl`, `${side}.txt`]

/** Whether a folder with these files holds scenarios, of one side at least. */
export function holdsScenarios(names: readonly string[]): boolean {
  return [...filesOf('positive'), ...filesOf('negative')].some((name) => names.includes(name))
}

/**
 * Reads one side of a trait in trait-interp's format: `{side}.jsonl` with `{prompt, system_prompt?}` on each line, else
 * `{side}.txt` with a prompt on each. `named`: the folder as the workflow names it. A scenario's id is its line.
 */
export function readScenarios(side: string, folder: string, named: string, files: SourceFiles): Result<Scenarios, readonly string[]> {
  const name = filesOf(side).find((one) => files.exists(path.join(folder, one)))
  if (name === undefined) return fail([`it has neither ${filesOf(side).join(' nor ')}`])
  const text = files.text(path.join(folder, name))
  if (!text.ok) return fail([`${name}: ${text.error}`])
  const mistakes: string[] = []
  const scenarios = text.value.split('\n').flatMap((line, index): Scenario[] => {
    if (line.trim() === '') return []
    const read: Result<Read, string> = name.endsWith('.txt') ? ok({ prompt: line.trim() }) : scenarioIn(line)
    if (read.ok) return [{ id: `${side}_${index + 1}`, text: read.value.prompt, systemPrompt: read.value.systemPrompt ?? null }]
    mistakes.push(`${name}, line ${index + 1}: ${read.error}`)
    return []
  })
  if (mistakes.length === 0 && scenarios.length < fewest)
    mistakes.push(`${name} has ${scenarios.length} scenarios; at least ${fewest} are needed`)
  return mistakes.length > 0 ? fail(mistakes) : ok({ file: path.join(named, name), scenarios })
}

interface Read {
  readonly prompt: string
  readonly systemPrompt?: string | null
}

function scenarioIn(line: string): Result<Read, string> {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (error) {
    return fail(`it is not JSON: ${(error as Error).message}`)
  }
  if (!isObject(value)) return fail('it is no JSON object')
  const { prompt, system_prompt: systemPrompt = null } = value
  if (typeof prompt !== 'string' || prompt.trim() === '') return fail('it has no "prompt"')
  if (systemPrompt !== null && typeof systemPrompt !== 'string') return fail('its "system_prompt" is not text')
  return ok({ prompt, systemPrompt })
}
