// A sidecar that computes nothing: it answers every request of docs/sidecar-protocol.md at once with small made-up
// results in files of the right form, so that what remains of a run's time is the engine's.
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import path from 'node:path'
import { digestOfBytes } from '../../engine/core/digest.ts'
import { encodeFrame, frameDecoder } from '../../engine/run/frames.ts'

const socket = new Socket({ fd: 3 })
const { take } = frameDecoder(({ id, method, params }) => {
  const result = methods[method](params)
  socket.write(encodeFrame({ jsonrpc: '2.0', id, result }), () => method === 'shutdown' && process.exit(0))
})
socket.on('data', take)
socket.on('end', () => process.exit(0))

let adapter = 'none'

const methods = {
  hello: () => ({ protocol: 1, pid: process.pid, device: 'cpu', memory_bytes: 1e9, versions: {} }),
  load_base: () => ({ seconds: 0, layers: 8, hidden: 1, parameters: 1 }),
  set_adapter: (params) => {
    adapter = params.adapter?.name ?? 'none'
    return { seconds: 0 }
  },
  shutdown: () => ({}),
  generate: ({ out, cells }) =>
    write(
      out,
      'responses.jsonl',
      cells.map(({ id, prompt, system_prompt }) => ({
        id,
        bytes: JSON.stringify({
          finish_reason: 'stop',
          prompt,
          prompt_end: 1,
          response: adapter,
          system_prompt,
          token_ids: [1, 2],
          tokens: ['a', 'b'],
        }),
        slot: { format: 'json' },
        facts: { prompt_tokens: 1, response_tokens: 1, finish_reason: 'stop' },
      })),
      '\n',
    ),
  capture: ({ out, groups }) =>
    write(
      out,
      'activations.safetensors',
      groups.flatMap(({ id, response, layers }) =>
        layers.map((layer) => ({
          id: `${id}@${layer}`,
          bytes: `${adapter} ${response.digest} ${layer}`,
          slot: { format: 'tensor', dtype: 'bfloat16', shape: [1, 1] },
          facts: { tokens: 1 },
        })),
      ),
    ),
  extract: ({ out, groups }) =>
    write(
      out,
      'vectors.safetensors',
      groups.flatMap(({ id, wanted }) =>
        wanted.map(({ layer, method }) => ({
          id: `${id}@${layer}:${method}`,
          bytes: `${id} ${layer} ${method}`,
          slot: { format: 'tensor', dtype: 'float32', shape: [1] },
          facts: { norm: 1, baseline: 0, train_accuracy: 1, held_out_accuracy: 1, pairs: 2 },
        })),
      ),
    ),
  project: ({ out, activations, vectors, cells }) =>
    write(
      out,
      'scores.parquet',
      cells.map(({ id, activation, vector }, row) => ({
        id,
        bytes: `${activations[activation].ref.digest} ${vectors[vector].ref.digest}`,
        slot: { format: 'parquet', row, rows: 1 },
        facts: { tokens: 1 },
      })),
    ),
}

/** Writes the cells' bytes one after another and answers the protocol's *result*. */
function write(out, name, made, separator = '') {
  const parts = []
  let offset = 0
  const cells = made.map(({ id, bytes, slot, facts }) => {
    const data = Buffer.from(bytes)
    const range = slot.format === 'parquet' ? {} : { offset, length: data.length }
    parts.push(data, Buffer.from(separator))
    offset += data.length + separator.length
    return { id, digest: digestOfBytes(data), slot: { file: name, ...slot, ...range }, facts }
  })
  const whole = Buffer.concat(parts)
  const file = openSync(path.join(out, name), 'wx')
  writeSync(file, whole)
  fsyncSync(file)
  closeSync(file)
  return { files: [{ name, digest: digestOfBytes(whole), bytes: whole.length }], cells, failed: [] }
}
