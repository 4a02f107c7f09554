import { goesOn, type PilotResult } from '../plan/pilot.ts'
import type { Plan } from '../plan/plan.ts'
import { formatBytes, formatDuration, formatPlural } from '../core/format.ts'
import { sanitizeLine } from './sanitize.ts'

/** Which slice is done first. */
export function pilotHead({ tasks }: Plan['graph']): string {
  const answering = tasks.filter(({ operation }) => operation.counts.noun === 'answers')
  const organisms = new Set(answering.map(({ row }) => row))
  return `pilot first: ${formatPlural(organisms.size, 'organisms')} (${sanitizeLine([...organisms].slice(0, 3).join(', '))}), ${formatPlural(tasks.length, 'tasks')}\n`
}

/** What the pilot measured, beside what was forecast, and whether the rest follows. */
export function pilotText(result: PilotResult): string {
  const { seconds, bytes, answeredShare, forecast, projected, goOnWithin } = result
  const times = (now: number, before: number) => `${(now / before).toFixed(2)} times the forecast`
  const length = answeredShare === null ? '' : `; answers are ${Math.round(100 * answeredShare)} % of the length allowed`
  return [
    `pilot: ${formatDuration(seconds)}, ${formatBytes(bytes)} written${length}`,
    `  whole run now      about ${formatDuration(projected.seconds)}, ${formatBytes(projected.bytes)}`,
    `  forecast before    about ${formatDuration(forecast.seconds)}, ${formatBytes(forecast.bytes)} at most`,
    goesOn(result)
      ? `  within ${goOnWithin} times of it: going on`
      : `  more than ${goOnWithin} times: ${times(projected.seconds, forecast.seconds)} in time, ${times(projected.bytes, forecast.bytes)} in bytes`,
    '',
  ].join('\n')
}
