/** Figures for people. */

/** `1,234,567` */
export function formatCount(value: number): string {
  // Not by `toLocaleString`: it loads its tables at the first call, 10 ms of every command.
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `1 task`, `12 tasks`. */
export function formatNumberOf(value: number, noun: string, plural = `${noun}s`): string {
  return `${formatCount(value)} ${Math.round(value) === 1 ? noun : plural}`
}

/** A number of what is named in the plural, such as `rankings`. */
export function formatPlural(value: number, plural: string): string {
  return formatNumberOf(value, plural.replace(/s$/, ''), plural)
}

/** `4.2 s`, `58 s`, `3 m 05 s`, `1 h 12 m`. */
export function formatDuration(seconds: number): string {
  if (seconds < 9.95) return `${Math.max(0, seconds).toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${pad(whole % 60)} s`
  const minutes = Math.round(whole / 60)
  return `${formatCount(Math.floor(minutes / 60))} h ${pad(minutes % 60)} m`
}

/** `just now`, `5 m ago`, `3 h ago`, `2 d ago`. */
export function formatAgo(milliseconds: number): string {
  const minutes = Math.floor(milliseconds / 60_000)
  if (minutes < 1) return 'just now'
  if (minutes < 60) return `${minutes} m ago`
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h ago` : `${formatCount(Math.floor(minutes / 1440))} d ago`
}

/** Time since the start of a run: `02:14:09`. */
export function formatClock(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000))
  return `${pad(Math.floor(seconds / 3600))}:${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}`
}

/** `212 tok/s`, `1.6 cells/s`; slower than one a second it is `4.1 s/cell`. */
export function formatRate(perSecond: number, unit: 'tok' | 'cell'): string {
  if (unit === 'cell' && perSecond < 1) return `${formatDuration(1 / perSecond).replace(/ s$/, '')} s/cell`
  const figure = perSecond < 9.95 ? perSecond.toFixed(1) : formatCount(perSecond)
  return `${figure} ${unit === 'tok' ? 'tok' : 'cells'}/s`
}

function pad(value: number): string {
  return String(value).padStart(2, '0')
}

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

/** Decimal units, as disks are sold: `908 GB`, `12.3 MB`, `512 B`. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 || value >= 99.95 ? value.toFixed(0) : value.toFixed(1)} ${units[unit]}`
}
