import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { digestOfBytes } from '../core/digest.ts'
import type { Json } from '../core/json.ts'
import { type CellOutput, CorruptObject, type Reader } from '../core/step-kind.ts'
import type { StoreLayout } from './files/layout.ts'
import { objectPath } from './files/layout.ts'
import { readFloatColumn } from './parquet.ts'
import { turns } from './turns.ts'

/** How many decoded score objects are kept; a ranking reads the cells of one object one after another. */
const keptColumns = 8

/**
 * Reads stored cells. Each read checks the cell's digest, so that nothing is built on damaged bytes. Who reads many lets
 * the rest of the process have its turn meanwhile.
 */
export function createReader(layout: StoreLayout): Reader {
  const turn = turns()
  const columns = new Map<string, Promise<Float32Array>>()
  const column = (object: string): Promise<Float32Array> => {
    let values = columns.get(object)
    if (!values) {
      values = readFloatColumn(objectPath(layout, object), 'score')
      columns.set(object, values)
      if (columns.size > keptColumns) columns.delete(columns.keys().next().value as string)
    }
    return values
  }
  return {
    async json(output) {
      await turn()
      const { slot } = output
      if (slot.format !== 'json' && slot.format !== 'file') throw new TypeError(`cell ${output.cell} does not hold JSON`)
      const bytes = slot.format === 'json' ? readRange(layout, output, slot.offset, slot.length) : readWhole(layout, output)
      return JSON.parse(bytes.toString('utf8')) as Json
    },
    async text(output) {
      await turn()
      if (output.slot.format !== 'file') throw new TypeError(`cell ${output.cell} is no file`)
      return readWhole(layout, output).toString('utf8')
    },
    async vector(output) {
      await turn()
      const { slot } = output
      if (slot.format !== 'tensor' || slot.dtype !== 'float32') throw new TypeError(`cell ${output.cell} does not hold float32 numbers`)
      const bytes = readRange(layout, output, slot.offset, slot.length)
      return new Float32Array(bytes.buffer, bytes.byteOffset, slot.length / Float32Array.BYTES_PER_ELEMENT)
    },
    async scores(output) {
      await turn()
      const { slot } = output
      if (slot.format !== 'parquet') throw new TypeError(`cell ${output.cell} does not hold scores`)
      try {
        const values = (await column(slot.object)).subarray(slot.row, slot.row + slot.rows)
        check(output, new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
        return values
      } catch (error) {
        // Once it is made again, it has the same name.
        columns.delete(slot.object)
        if (error instanceof CorruptObject) throw error
        throw new CorruptObject(slot.object, `cannot be read as Parquet: ${(error as Error).message}`)
      }
    },
  }
}

/** A stored file as a whole, checked. */
export function readWhole(layout: StoreLayout, output: CellOutput): Buffer {
  let bytes: Buffer
  try {
    bytes = readFileSync(objectPath(layout, output.slot.object))
  } catch (error) {
    throw unreadable(output, error)
  }
  check(output, bytes)
  return bytes
}

function readRange(layout: StoreLayout, output: CellOutput, offset: number, length: number): Buffer {
  let file: number
  try {
    file = openSync(objectPath(layout, output.slot.object), 'r')
  } catch (error) {
    throw unreadable(output, error)
  }
  try {
    const bytes = Buffer.alloc(length)
    const read = readOrLose(output, () => readSync(file, bytes, 0, length, offset))
    if (read < length) throw new CorruptObject(output.slot.object, `ends ${length - read} bytes early`)
    check(output, bytes)
    return bytes
  } finally {
    closeSync(file)
  }
}

function readOrLose(output: CellOutput, read: () => number): number {
  try {
    return read()
  } catch (error) {
    throw unreadable(output, error)
  }
}

/** An object that is gone or that the disk cannot read is lost; any other error says nothing of the object. */
function unreadable({ slot }: CellOutput, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return new CorruptObject(slot.object, 'is gone')
  return code === 'EIO' ? new CorruptObject(slot.object, 'cannot be read: the disk fails') : error
}

function check(output: CellOutput, bytes: Uint8Array): void {
  if (digestOfBytes(bytes) !== output.digest) throw new CorruptObject(output.slot.object, 'does not match its digest')
}
