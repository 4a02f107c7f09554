import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { digestOfBytes } from '../core/digest.ts'
import type { Json } from '../core/json.ts'
import { type CellOutput, CorruptObject, type Reader } from '../core/step-kind.ts'
import type { StoreLayout } from './layout.ts'
import { objectPath } from './layout.ts'
import { readFloatColumn } from './parquet.ts'

/** How many decoded score objects are kept; a ranking reads the cells of one object one after another. */
const keptColumns = 8

/** Reads stored cells. Each read checks the cell's digest, so that nothing is built on damaged bytes. */
export function createReader(layout: StoreLayout): Reader {
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
      const { slot } = output
      if (slot.format !== 'json' && slot.format !== 'file') throw new TypeError(`cell ${output.cell} does not hold JSON`)
      const bytes = slot.format === 'json' ? readRange(layout, output, slot.offset, slot.length) : readWhole(layout, output)
      return JSON.parse(bytes.toString('utf8')) as Json
    },
    async scores(output) {
      const { slot } = output
      if (slot.format !== 'parquet') throw new TypeError(`cell ${output.cell} does not hold scores`)
      let values: Float32Array
      try {
        values = (await column(slot.object)).subarray(slot.row, slot.row + slot.rows)
      } catch (error) {
        throw new CorruptObject(slot.object, `cannot be read as Parquet: ${(error as Error).message}`)
      }
      check(output, new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
      return values
    },
  }
}

/** A stored file as a whole, checked. */
export function readWhole(layout: StoreLayout, output: CellOutput): Buffer {
  let bytes: Buffer
  try {
    bytes = readFileSync(objectPath(layout, output.slot.object))
  } catch {
    throw new CorruptObject(output.slot.object, 'is gone')
  }
  check(output, bytes)
  return bytes
}

function readRange(layout: StoreLayout, output: CellOutput, offset: number, length: number): Buffer {
  let file: number
  try {
    file = openSync(objectPath(layout, output.slot.object), 'r')
  } catch {
    throw new CorruptObject(output.slot.object, 'is gone')
  }
  try {
    const bytes = Buffer.alloc(length)
    const read = readSync(file, bytes, 0, length, offset)
    if (read < length) throw new CorruptObject(output.slot.object, `ends ${length - read} bytes early`)
    check(output, bytes)
    return bytes
  } finally {
    closeSync(file)
  }
}

function check(output: CellOutput, bytes: Uint8Array): void {
  if (digestOfBytes(bytes) !== output.digest) throw new CorruptObject(output.slot.object, 'does not match its digest')
}
