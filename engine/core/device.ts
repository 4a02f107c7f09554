/** What names a device: a processor, a GPU, or several GPUs that a model is spread over, `cuda:0+cuda:1`. */
export const devicePattern = String.raw`^(cpu|mps|cuda(:\d+)?(\+cuda(:\d+)?)*)$`

/** `cpu`, `cuda` or `mps`. */
export function kindOfDevice(device: string): string {
  return device.replace(/[:+].*$/, '')
}

/** Devices of the same name are one: `cuda` alone is the first GPU. */
export function deviceName(device: string): string {
  return partsOfDevice(device).join('+')
}

/** The GPUs that a model on this device is spread over, by their numbers; elsewhere the device alone. */
export function partsOfDevice(device: string): string[] {
  return device.split('+').map((part) => (part === 'cuda' ? 'cuda:0' : part))
}

/** Why one model cannot be on all of these devices; null where it can. */
export function mistakeIn(devices: readonly string[]): { readonly message: string; readonly hint: string } | null {
  const [first = '', ...others] = devices
  const parts = devices.flatMap(partsOfDevice)
  const twice = parts.find((part, index) => part !== 'cpu' && parts.indexOf(part) < index)
  const another = others.find(
    (other) => kindOfDevice(other) !== kindOfDevice(first) || partsOfDevice(other).length !== partsOfDevice(first).length,
  )
  if (another !== undefined)
    return { message: `is on ${first} and ${another}`, hint: 'devices that share work are of one kind: they compute alike' }
  return twice === undefined ? null : { message: `is on "${twice}" more than once`, hint: 'name each GPU once, as `cuda:0`' }
}

/** Of devices of two models a pair that has a GPU in common, and not all; null where there is none. Others they take turns on. */
export function sharedInPart(devices: readonly string[], others: readonly string[]): readonly [string, string] | null {
  for (const device of devices)
    for (const other of others) {
      const parts = partsOfDevice(other)
      if (deviceName(device) !== deviceName(other) && partsOfDevice(device).some((part) => parts.includes(part))) return [device, other]
    }
  return null
}
