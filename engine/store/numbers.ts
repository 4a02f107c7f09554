import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import type { Slot } from '../core/step-kind.ts'
import { readFloatColumn } from './parquet.ts'

/** The numbers of a tensor or of scores in a file, as float32; bfloat16 and float16 lose nothing. */
export async function numbersIn(file: string, slot: Slot): Promise<Float32Array> {
  if (slot.format === 'parquet') return (await readFloatColumn(file, 'score')).subarray(slot.row, slot.row + slot.rows)
  if (slot.format !== 'tensor') throw new TypeError(`${slot.format} holds no numbers`)
  const bytes = bytesIn(file, slot.offset, slot.length)
  switch (slot.dtype) {
    case 'float32':
      return new Float32Array(bytes)
    case 'bfloat16':
      return new Float32Array(Uint32Array.from(new Uint16Array(bytes), (bits) => bits << 16).buffer)
    case 'float16':
      return Float32Array.from(new Float16Array(bytes))
    case 'int8':
      return eightBitStates(bytes, slot.shape[1] as number)
    default:
      throw new TypeError(`tensors of ${slot.dtype} are not compared`)
  }
}

/** Rows of whole numbers with a float32 scale for every 64 of them, as `sidecar/stored/int8.py` writes them. */
function eightBitStates(bytes: ArrayBuffer, width: number): Float32Array {
  const block = 64
  const hidden = width - 4 * Math.ceil(width / (block + 4))
  const view = new DataView(bytes)
  return Float32Array.from({ length: (bytes.byteLength / width) * hidden }, (_, index) => {
    const row = Math.floor(index / hidden) * width
    const column = index % hidden
    return view.getInt8(row + column) * view.getFloat32(row + hidden + 4 * Math.floor(column / block), true)
  })
}

/** The JSON of a slot. */
export function jsonIn(file: string, slot: Slot): unknown {
  if (slot.format === 'file') return JSON.parse(readFileSync(file, 'utf8'))
  if (slot.format !== 'json') throw new TypeError(`${slot.format} holds no JSON`)
  return JSON.parse(Buffer.from(bytesIn(file, slot.offset, slot.length)).toString('utf8'))
}

function bytesIn(file: string, offset: number, length: number): ArrayBuffer {
  const bytes = new ArrayBuffer(length)
  const descriptor = openSync(file, 'r')
  try {
    readSync(descriptor, new Uint8Array(bytes), 0, length, offset)
  } finally {
    closeSync(descriptor)
  }
  return bytes
}
