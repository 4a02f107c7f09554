import { DamagedIndex } from '../../core/system-error.ts'

/**
 * What a row of the index holds as JSON.
 * @throws DamagedIndex when that is not what was written.
 */
export function storedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new DamagedIndex((error as Error).message)
  }
}
