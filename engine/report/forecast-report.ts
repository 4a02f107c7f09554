import type { DiskAt, DiskOverTime } from '../plan/disk.ts'
import type { Forecast } from '../plan/forecast.ts'
import type { PathPart } from '../plan/critical-path.ts'
import { misfit } from '../plan/memory.ts'
import { kindOfDevice, partsOfDevice } from '../core/device.ts'
import type { ModelSource } from '../core/sources.ts'
import { columns } from './columns.ts'
import { formatBytes, formatCount, formatDuration, formatNumberOf } from '../core/format.ts'

/** The forecast as `dag plan --json` has it. */
export interface ForecastReport {
  readonly seconds: number
  readonly secondsAtHalf: number | null
  readonly bytes: number
  readonly basis: string
  /** What the end waits for, by stage; adds up to `seconds`. */
  readonly criticalPath: readonly PathPart[]
  readonly disk: DiskOverTime
}

/** Memory that a model asks for at the most, in bytes. Models are loaded one at a time. */
export interface MemoryReport {
  readonly model: string
  /** Of the weights. */
  readonly bytes: number
  /** Answers worked on at once, at most so many tokens each, and their keys and values. */
  readonly together: number
  readonly longest: number
  readonly tokenBytes: number
  readonly peakBytes: number
  /** On how many it is loaded. */
  readonly devices: number
  /** Of each device it is forecast for, all GPUs together that it is spread over. */
  readonly deviceBytes: number
  /** Over how many GPUs it would have to be spread; null where it is on none. */
  readonly gpusNeeded: number | null
  /** What does not fit. */
  readonly misfit: 'weights' | 'tokens' | null
}

/** What the same workflow takes with another way to keep what is computed. */
export interface PolicyReport {
  readonly policy: string
  readonly asWritten: boolean
  readonly seconds: number
  readonly secondsAtHalf: number | null
  readonly bytes: number
  readonly disk: DiskOverTime
}

export function forecastReport({ seconds, secondsAtHalf, bytes, basis, criticalPath, disk }: Forecast): ForecastReport {
  const path = criticalPath.map((part) => ({ ...part, seconds: tenths(part.seconds) }))
  return { seconds: tenths(seconds), secondsAtHalf: halfTenths(secondsAtHalf), bytes, basis, criticalPath: path, disk: diskReport(disk) }
}

export function policyReport(policy: string, asWritten: boolean, expected: Forecast): PolicyReport {
  const { seconds, secondsAtHalf, bytes, disk } = forecastReport(expected)
  return { policy, asWritten, seconds, secondsAtHalf, bytes, disk }
}

export function memoryReport({ memory }: Forecast, memoryOf: (model: ModelSource) => number): MemoryReport[] {
  return memory.map((asked) => {
    const { model, weights, together, longest, tokens } = asked
    const has = memoryOf(model)
    const peakBytes = weights + tokens
    return {
      model: model.name,
      bytes: weights,
      together,
      longest,
      tokenBytes: tokens,
      peakBytes,
      devices: model.devices.length,
      deviceBytes: has,
      gpusNeeded: gpusFor(peakBytes, model, has),
      misfit: misfit(asked, has),
    }
  })
}

function gpusFor(bytes: number, { devices: [device = ''] }: ModelSource, has: number): number | null {
  return kindOfDevice(device) === 'cuda' ? Math.ceil(bytes / (has / partsOfDevice(device).length)) : null
}

export function tenths(value: number): number {
  return Math.round(value * 10) / 10
}

function halfTenths(seconds: number | null): number | null {
  return seconds === null ? null : tenths(seconds)
}

function diskReport({ series, peak }: DiskOverTime): DiskOverTime {
  const at = (point: DiskAt): DiskAt => ({ ...point, seconds: tenths(point.seconds) })
  return { series: series.map(at), peak: at(peak) }
}

/** Time, what it waits for, and memory, a line each, with a warning for what does not fit. */
export function forecastLines(forecast: ForecastReport, memory: readonly MemoryReport[]): string[] {
  return [
    `  time              about ${timeText(forecast)} (from ${forecast.basis})`,
    ...pathLines(forecast),
    `  disk              ${formatBytes(forecast.disk.peak.bytes)} at most`,
    ...memoryLines(memory),
  ]
}

function timeText({ seconds, secondsAtHalf }: ForecastReport): string {
  if (secondsAtHalf === null) return formatDuration(seconds)
  return `${formatDuration(seconds)} if every answer is as long as allowed, ${formatDuration(secondsAtHalf)} if half as long`
}

/** Parts that are less of the whole than this are not named. */
const smallPart = 1e-4

function pathLines({ criticalPath, seconds }: ForecastReport): string[] {
  const parts = criticalPath.filter((part) => part.seconds > smallPart * seconds)
  if (parts.length === 0) return []
  return [`  critical path     ${parts.map(({ stage, seconds: time }) => `${stage} ${formatDuration(time)}`).join(' → ')}`]
}

/** Models are loaded one after another: the one that takes most is the most at once. */
function memoryLines(memory: readonly MemoryReport[]): string[] {
  const [largest] = memory.toSorted((a, b) => b.peakBytes - a.peakBytes)
  if (!largest) return []
  const { model, bytes, together, longest, tokenBytes, peakBytes, devices, deviceBytes } = largest
  const each = devices > 1 ? ` on each of ${devices} devices` : ''
  const tokens =
    tokenBytes === 0 ? '' : ` + ${formatBytes(tokenBytes)} for ${formatNumberOf(together, 'answer')} of ${formatNumberOf(longest, 'token')}`
  const line = `  memory            ${formatBytes(peakBytes)} of ${formatBytes(deviceBytes)}${each}: ${formatBytes(bytes)} for the weights of ${model}${tokens}`
  return [line, ...memory.flatMap(misfitLine)]
}

function misfitLine({ model, bytes, together, tokenBytes, deviceBytes, gpusNeeded, misfit: what }: MemoryReport): string[] {
  if (what === 'weights') {
    const spread = gpusNeeded === null ? '' : `; it would on ${gpusNeeded} GPUs: \`device: ${gpus(gpusNeeded)}\``
    return [
      `  warning           ${model} does not fit: its weights alone take ${formatBytes(bytes)}, there are ${formatBytes(deviceBytes)}${spread}`,
    ]
  }
  if (what === null) return []
  const fit = Math.max(1, Math.floor((together * (deviceBytes - bytes)) / 2 / tokenBytes))
  const room = `half of what the weights of ${model} leave, ${formatBytes((deviceBytes - bytes) / 2)}, is for tokens`
  return [
    `  warning           ${room}: about ${formatCount(fit)} of ${formatCount(together)} answers are worked on at once, which is slower`,
  ]
}

function gpus(count: number): string {
  return Array.from({ length: count }, (_, index) => `cuda:${index}`).join('+')
}

const quarters = [4, 9, 14, 19] as const

/** What is on the disk at each quarter of the time, by class of artifact. */
export function diskLines({ disk, seconds }: ForecastReport): string[] {
  const points = [...quarters.map((index) => disk.series[index] as DiskAt), disk.peak]
  const classes = Object.keys(disk.peak.ofClass).filter((name) => points.some((point) => (point.ofClass[name] ?? 0) > 0))
  if (classes.length === 0) return []
  const times = quarters.map((_, index) => formatDuration(((index + 1) / 4) * seconds))
  const rows = classes.map((name) => [name, ...points.map(({ ofClass }) => formatBytes(ofClass[name] ?? 0))])
  const all = classes.length > 1 ? [['all', ...points.map(({ bytes }) => formatBytes(bytes))]] : []
  return columns([['on disk after', ...times, 'at most'], ...rows, ...all], [0]).map(indented)
}

/** The same in all for each way to keep what is computed, with the time it takes. */
export function policyLines(policies: readonly PolicyReport[]): string[] {
  if (policies.length < 2) return []
  const rows = policies.map(({ policy, asWritten, seconds, secondsAtHalf, disk }) => [
    `raw: ${policy}${asWritten ? ' (as written)' : ''}`,
    ...[...quarters.map((index) => disk.series[index] as DiskAt), disk.peak].map(({ bytes }) => formatBytes(bytes)),
    formatDuration(seconds),
    secondsAtHalf === null ? '' : formatDuration(secondsAtHalf),
  ])
  const half = policies.some(({ secondsAtHalf }) => secondsAtHalf !== null) ? 'half as long' : ''
  return columns([['on disk after', '1/4', '2/4', '3/4', 'all', 'at most', 'time about', half], ...rows], [0]).map(indented)
}

function indented(line: string): string {
  return `  ${line}`
}
