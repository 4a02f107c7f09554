import { fail, ok, type Result } from '../core/result.ts'
import { isObject, type Json } from '../core/json.ts'
import { suggestion } from '../core/names.ts'

/** What a machine does in a second, for the forecast. */
export interface Profile extends Speeds {
  readonly name: string
}

interface Speeds {
  /** Floating-point operations a second while decoding, and while prefilling. */
  readonly decodeFlops: number
  readonly prefillFlops: number
  readonly loadSeconds: number
  readonly switchSeconds: number
  /** Starting the sidecar and importing its libraries. */
  readonly startSeconds: number
  /** Projected scores a second, and one task of the engine's own. */
  readonly cellsPerSecond: number
}

/** Starting figures by name; `docs/forecast.md` has their sources. What this machine measured replaces them. */
const speeds: Readonly<Record<string, Speeds>> = {
  'cpu-2core': {
    decodeFlops: 40e9,
    prefillFlops: 480e9,
    loadSeconds: 1,
    switchSeconds: 0.1,
    startSeconds: 6,
    cellsPerSecond: 5_000,
  },
  'a100-80gb': {
    decodeFlops: 6.5e12,
    prefillFlops: 156e12,
    loadSeconds: 150,
    switchSeconds: 0.6,
    startSeconds: 15,
    cellsPerSecond: 5_000,
  },
  'h100-80gb': {
    decodeFlops: 10.7e12,
    prefillFlops: 495e12,
    loadSeconds: 150,
    switchSeconds: 0.6,
    startSeconds: 15,
    cellsPerSecond: 5_000,
  },
  mps: { decodeFlops: 400e9, prefillFlops: 4e12, loadSeconds: 5, switchSeconds: 0.2, startSeconds: 6, cellsPerSecond: 5_000 },
}

const ofDevice: Readonly<Record<string, string>> = { cpu: 'cpu-2core', cuda: 'a100-80gb', mps: 'mps' }

/** The profile that a forecast starts from where nothing else is said. */
export function profileOfDevice(device: string): Profile {
  const name = ofDevice[device.replace(/:\d+$/, '')] ?? 'cpu-2core'
  return { name, ...(speeds[name] as Speeds) }
}

/** The built-in profile of that name. */
export function namedProfile(name: string): Result<Profile, string> {
  const found = speeds[name]
  if (found) return ok({ name, ...found })
  return fail(`there is no profile "${name}" (${suggestion(name, Object.keys(speeds))}); one of your own is a JSON file`)
}

/** A profile of one's own: every speed, above zero. */
export function profileFrom(name: string, value: Json): Result<Profile, string> {
  const needed = Object.keys(speeds['cpu-2core'] as Speeds)
  if (!isObject(value)) return fail(`${name} is not an object with ${needed.join(', ')}`)
  const wrong = needed.find((key) => typeof value[key] !== 'number' || value[key] <= 0)
  if (wrong) return fail(`${name}: "${wrong}" must be a number above zero`)
  const unknown = Object.keys(value).find((key) => !needed.includes(key))
  if (unknown) return fail(`${name}: "${unknown}" is not one of ${needed.join(', ')}`)
  return ok({ name, ...(value as unknown as Speeds) })
}

/** Seconds per unit of work that this machine measured, by operation; null where it has not. */
export type MeasuredRates = (model: string, operation: string) => number | null
