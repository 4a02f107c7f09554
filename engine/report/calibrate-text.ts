import type { Calibration } from '../plan/calibration.ts'
import type { Speeds } from '../plan/profile.ts'
import { columns } from './columns.ts'
import { formatBytes, formatDuration } from '../core/format.ts'

/** What `dag calibrate --json` prints. */
export interface CalibrationReport {
  readonly models: readonly {
    readonly model: string
    /** Prompts that were answered at once. */
    readonly together: number
    readonly measured: Partial<Speeds>
    readonly profile: Speeds & { readonly name: string }
  }[]
  readonly disk: Calibration['disk']
}

export function calibrationReport({ models, disk }: Calibration): CalibrationReport {
  return {
    models: models.map(({ model, together, figures, profile }) => ({ model: model.name, together, measured: figures, profile })),
    disk,
  }
}

const shown: readonly { key: keyof Speeds; name: string; text: (value: number) => string }[] = [
  { key: 'decodeFlops', name: 'decode', text: formatFlops },
  { key: 'prefillFlops', name: 'prefill', text: formatFlops },
  { key: 'loadSeconds', name: 'base load', text: formatDuration },
  { key: 'switchSeconds', name: 'adapter switch', text: formatDuration },
  { key: 'startSeconds', name: 'start', text: formatDuration },
  { key: 'memoryBytes', name: 'memory', text: formatBytes },
]

/** What was measured beside what was forecast from so far. */
export function calibrationText({ models, disk }: CalibrationReport): string {
  const ofModels = models.flatMap(({ model, together, measured, profile }) => [
    `${model}, ${together} at once`,
    ...columns(
      [['', 'measured', profile.name], ...shown.map(({ key, name, text }) => [name, textOf(measured[key], text), text(profile[key])])],
      [0],
    ).map(indented),
    '',
  ])
  const rows = [
    ['write', `${formatBytes(disk.writeBytes)}/s`],
    ['read', `${formatBytes(disk.readBytes)}/s`],
  ]
  return [
    ...ofModels,
    "the store's disk",
    ...columns(rows, [0]).map(indented),
    '',
    'forecasts on this machine rest on it where no run has measured more',
    '',
  ].join('\n')
}

function textOf(value: number | undefined, text: (value: number) => string): string {
  return value === undefined ? 'not measured' : text(value)
}

function indented(line: string): string {
  return `  ${line}`
}

/** `40.1 GFLOP/s` */
function formatFlops(value: number): string {
  const [unit, scale] = value >= 1e12 ? (['T', 1e12] as const) : value >= 1e9 ? (['G', 1e9] as const) : (['M', 1e6] as const)
  const figure = value / scale
  return `${figure >= 100 ? figure.toFixed(0) : figure.toFixed(1)} ${unit}FLOP/s`
}
