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
