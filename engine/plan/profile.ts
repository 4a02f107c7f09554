import { kindOfDevice, partsOfDevice } from '../core/device.ts'
import { fail, ok, type Result } from '../core/result.ts'
import { isObject, type Json } from '../core/json.ts'
import { suggestion } from '../core/names.ts'
import type { ModelSource } from '../core/sources.ts'

/** What a machine does in a second, for the forecast. */
export interface Profile extends Speeds {
  /** As it is told of: `profile a100-80gb`. */
  readonly name: string
}

export interface Speeds {
  /** Floating-point operations a second while decoding, and while prefilling. */
  readonly decodeFlops: number
  readonly prefillFlops: number
  readonly loadSeconds: number
  readonly switchSeconds: number
  /** Starting the sidecar and importing its libraries. */
  readonly startSeconds: number
  /** Projected scores a second, and one task of the engine's own. */
  readonly cellsPerSecond: number
  /** Of the store's disk, a second. */
  readonly writeBytes: number
  readonly readBytes: number
  /** Of the device that models are loaded on. */
  readonly memoryBytes: number
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
    writeBytes: 0.4e9,
    readBytes: 1.3e9,
    memoryBytes: 16e9,
  },
  'a100-80gb': {
    decodeFlops: 6.5e12,
    prefillFlops: 156e12,
    loadSeconds: 150,
    switchSeconds: 0.6,
    startSeconds: 15,
    cellsPerSecond: 5_000,
    writeBytes: 3e9,
    readBytes: 3e9,
    memoryBytes: 80e9,
  },
  'h100-80gb': {
    decodeFlops: 10.7e12,
    prefillFlops: 495e12,
    loadSeconds: 150,
    switchSeconds: 0.6,
    startSeconds: 15,
    cellsPerSecond: 5_000,
    writeBytes: 3e9,
    readBytes: 3e9,
    memoryBytes: 80e9,
  },
  mps: {
    decodeFlops: 400e9,
    prefillFlops: 4e12,
    loadSeconds: 5,
    switchSeconds: 0.2,
    startSeconds: 6,
    cellsPerSecond: 5_000,
    writeBytes: 3e9,
    readBytes: 3e9,
    memoryBytes: 16e9,
  },
}

const ofDevice: Readonly<Record<string, string>> = { cpu: 'cpu-2core', cuda: 'a100-80gb', mps: 'mps' }

/** The profile of one of the devices, that a forecast starts from where nothing else is said. */
export function profileOfDevices([device = 'cpu']: readonly string[]): Profile {
  return builtIn(ofDevice[kindOfDevice(device)] ?? 'cpu-2core')
}

function builtIn(name: string): Profile {
  return { name: `profile ${name}`, ...(speeds[name] as Speeds) }
}

/** The built-in profile of that name. */
export function namedProfile(name: string): Result<Profile, string> {
  if (Object.hasOwn(speeds, name)) return ok(builtIn(name))
  return fail(`there is no profile "${name}" (${suggestion(name, Object.keys(speeds))}); one of your own is a JSON file`)
}

/** A profile of one's own: every figure, above zero. */
export function profileFrom(file: string, value: Json): Result<Profile, string> {
  const needed = Object.keys(speeds['cpu-2core'] as Speeds)
  if (!isObject(value)) return fail(`${file} is not an object with ${needed.join(', ')}`)
  const wrong = needed.find((key) => typeof value[key] !== 'number' || value[key] <= 0)
  if (wrong) return fail(`${file}: "${wrong}" must be a number above zero`)
  const unknown = Object.keys(value).find((key) => !needed.includes(key))
  if (unknown) return fail(`${file}: "${unknown}" is not one of ${needed.join(', ')}`)
  return ok({ name: `profile ${file}`, ...(value as unknown as Speeds) })
}

/** What this machine measured. */
export interface Measured {
  /** Seconds per unit of work of the runs here, by operation; null where there were none. */
  rate(model: string, operation: string): number | null
  /** What `dag calibrate` found out for a model, and for the machine as a whole. */
  calibrated(model: string): Partial<Speeds>
}

/** Under which name this machine's measurements with a model are kept. */
export function measuredModel(model: ModelSource | undefined): string {
  return model ? `${model.origin} ${model.dtype} ${model.quantization ?? 'unquantized'} ${oneOf(model.devices)}` : 'no model'
}

/** One of the devices that work is shared among: GPUs are alike, of a processor each has its part. */
function oneOf(devices: readonly string[]): string {
  const [device = 'cpu'] = devices
  if (devices.length === 1) return device
  const [kind, parts] = [kindOfDevice(device), partsOfDevice(device).length]
  if (kind === 'cpu') return `cpu/${devices.length}`
  return parts === 1 ? kind : `${kind} × ${parts}`
}

/** Among how many workers a model's share of the machine's processor is split. */
export function partsOf({ devices }: ModelSource): number {
  return devices[0] === 'cpu' ? devices.length : 1
}

/** The machine that work with a model is forecast for, where no profile is asked for. */
export function thisMachine(model: ModelSource | undefined, measured: Measured): Profile {
  const whole = profileOfDevices(model?.devices ?? [])
  const of = model ? partsOf(model) : 1
  const start = { ...whole, decodeFlops: whole.decodeFlops / of, prefillFlops: whole.prefillFlops / of }
  const found = measured.calibrated(measuredModel(model))
  return { ...start, ...found, ...(found.decodeFlops === undefined ? {} : { name: "this machine's calibration" }) }
}
