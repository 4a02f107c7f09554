import { devicePattern, mistakeIn } from '../../core/device.ts'

/** `5%` or `0.05` as a share above 0 and up to 1. */
export function parseShare(text: string): number {
  const [, number, percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(text) ?? []
  const share = Number(number) / (percent ? 100 : 1)
  if (share > 0 && share <= 1) return share
  throw new SyntaxError(`"${text}" is no share: write it like 5% or 0.05, above 0 and up to 100%`)
}

const unitMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `1d`, `12h`, `30m`, `90s` or `0` in milliseconds. */
export function parseDuration(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text === '0' ? '0s' : text) ?? []
  if (number === undefined) throw new SyntaxError(`"${text}" is no time: write it like 1d, 12h, 30m or 0`)
  return Number(number) * (unitMs[unit as string] as number)
}

const unitBytes: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 }

/** `50GB`, `500 MB`, `1.5TB` or `0` in bytes; decimal units. */
export function parseBytes(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?) ?([kmgt]?)b?$/i.exec(text) ?? []
  if (number === undefined) throw new SyntaxError(`"${text}" is no size: write it like 50GB, 500MB or 0`)
  return Number(number) * (unitBytes[(unit as string).toLowerCase()] as number)
}

/** A whole number above 0. */
export function parseCount(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new SyntaxError(`"${text}" is no number of things: write it like 10`)
}

/** `cuda:0`, `cuda:0,cuda:1` or `cuda:0+cuda:1`. */
export function parseDevices(text: string): readonly string[] {
  const devices = text.split(',')
  const unknown = devices.find((device) => !new RegExp(devicePattern).test(device))
  if (unknown !== undefined)
    throw new SyntaxError(`"${unknown}" is no device: write cpu, cuda, cuda:1 or mps, several as cuda:0,cuda:1 or cuda:0+cuda:1`)
  const mistake = mistakeIn(devices)
  if (mistake) throw new SyntaxError(`a model ${mistake.message}: ${mistake.hint}`)
  return devices
}
