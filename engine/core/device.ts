/** What names a device. */
export const devicePattern = String.raw`^(cpu|cuda(:\d+)?|mps)$`

/** `cpu`, `cuda` or `mps`. */
export function kindOfDevice(device: string): string {
  return device.replace(/:\d+$/, '')
}

/** Devices of the same name are one: `cuda` alone is the first GPU. */
export function deviceName(device: string): string {
  return device === 'cuda' ? 'cuda:0' : device
}

/** Why one model cannot be on all of these devices; null where it can. */
export function mistakeIn(devices: readonly string[]): { readonly message: string; readonly hint: string } | null {
  const kinds = [...new Set(devices.map(kindOfDevice))]
  if (kinds.length > 1)
    return { message: `is on ${kinds.join(' and ')}`, hint: 'devices that share work are of one kind: they compute alike' }
  const twice = devices.find(
    (device, index) => device !== 'cpu' && devices.findIndex((other) => deviceName(other) === deviceName(device)) < index,
  )
  return twice === undefined ? null : { message: `is on "${twice}" more than once`, hint: 'name each GPU once, as `cuda:0`' }
}
