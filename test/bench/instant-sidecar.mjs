// A sidecar that computes nothing: it answers every request of docs/sidecar-protocol.md at once with small made-up
// results in files of the right form, so that what remains of a run's time is the engine's. A result depends on what is in
// its cell's key and on nothing else.
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import path from 'node:path'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { digestOfBytes } from '../../engine/core/digest.ts'
import { encodeFrame, frameDecoder } from '../../engine/run/executors/frames.ts'

/** Tokens of an answer; with them come words and scores of the form that a real run has, for what reads them. */
const answerTokens = Number(process.argv[2] ?? 0)

const socket = new Socket({ fd: 3 })
const { take } = frameDecoder(({ id, method, params }) => {
  const result = methods[method](params)
  socket.write(encodeFrame({ jsonrpc: '2.0', id, result }), () => method === 'shutdown' && process.exit(0))
})
socket.on('data', take)
socket.on('end', () => process.exit(0))

let adapter = 'none'

const recording = (response, layer) => `${adapter} ${response.digest} ${layer}`
const recorded = (response, layer) => digestOfBytes(Buffer.from(recording(response, layer)))

const methods = {
  hello: () => ({ protocol: 1, pid: process.pid, device: 'cpu', memory_bytes: 1e9, versions: {} }),
  load_base: () => ({ seconds: 0, layers: 8, hidden: 1, parameters: 1 }),
  set_adapter: (params) => {
    adapter = params.adapter?.digest ?? 'none'
    return { seconds: 0 }
  },
  shutdown: () => ({}),
  generate: ({ out, cells, max_new_tokens, temperature, top_p, steering }) =>
    write(
      out,
      'responses.jsonl',
      cells.map(({ id, prompt, earlier = [], system_prompt, seed, steer }) => {
        const more = earlier.map(({ content }) => content)
        const steered = steer ? [steering.layer, steering.vectors[steer.vector].digest, steer.by] : []
        const words =
          answerTokens > 0
            ? wordsOf(
                `${adapter} ${JSON.stringify([prompt, system_prompt, seed, max_new_tokens, temperature, top_p, ...more, ...steered])}`,
              )
            : ['b']
        return answer(id, prompt, system_prompt, [adapter, ...steered, ...words].join(''), words)
      }),
      '\n',
    ),
  capture: ({ out, groups }) =>
    write(
      out,
      'activations.safetensors',
      groups.flatMap(({ id, response, layers }) =>
        layers.map((layer) => ({
          id: `${id}@${layer}`,
          bytes: recording(response, layer),
          slot: { format: 'tensor', dtype: 'bfloat16', shape: [1, 1] },
          facts: { tokens: answerTokens || 1 },
        })),
      ),
    ),
  extract: ({ out, groups }) =>
    write(
      out,
      'vectors.safetensors',
      groups.flatMap(({ id, wanted, pairs, positive, negative }) =>
        wanted.map(({ layer, method }) => ({
          id: `${id}@${layer}:${method}`,
          ...vectorFrom(
            `${JSON.stringify(pairs ?? [positive, negative].map((side) => side.map(({ digest }) => digest)))} ${layer} ${method}`,
          ),
          facts: { norm: 1, baseline: 0, train_accuracy: 1, held_out_accuracy: 1, pairs: 2 },
        })),
      ),
    ),
  adopt: ({ out, cells }) =>
    write(
      out,
      'vectors.safetensors',
      cells.map(({ id, name, digest }) => ({
        id,
        ...vectorFrom(digest),
        facts: { norm: 1, imported: name },
      })),
    ),
  random_directions: ({ out, seed, index, hidden, cells }) =>
    write(
      out,
      'vectors.safetensors',
      cells.map(({ id, layer }) => ({
        id,
        ...vectorFrom(`random ${seed} ${index} ${layer} of ${hidden}`),
        facts: {},
      })),
    ),
  shift: ({ out, cells }) =>
    write(
      out,
      'vectors.safetensors',
      cells.map(({ id, answers }) => ({
        id,
        ...vectorFrom(
          JSON.stringify(answers.map(({ organism, clean }) => [organism.ref.digest, clean.ref.digest, organism.first, clean.first])),
        ),
        facts: { norm: 1, of_clean: 1, consistency: 1, answers: answers.length },
      })),
    ),
  logit_lens: ({ out, by, top, groups, cells }) => {
    const shared = new Map(groups.map(({ id, vectors }) => [id, vectors.map(({ digest }) => digest)]))
    return write(
      out,
      'tokens.jsonl',
      cells.map(({ id, vector, apart_from }) => {
        const words = wordsOf(JSON.stringify([vector.digest, shared.get(apart_from), by]))
        const tokens = Array.from({ length: 2 * top }, (_, index) => words[index % words.length] ?? 'b')
        const record = { token_ids: tokens.map((_, index) => index), tokens, values: tokens.map((_, index) => top - index) }
        return { id, bytes: JSON.stringify(record), slot: { format: 'json' }, facts: { highest: top, lowest: 1 - top } }
      }),
      '\n',
    )
  },
  import_answers: ({ out, cells }) =>
    write(
      out,
      'responses.jsonl',
      cells.map(({ id, name, digest }) => {
        const words = wordsOf(digest)
        return answer(id, digest, null, words.join(''), words, { imported: name })
      }),
      '\n',
    ),
  import_recordings: ({ out, groups }) =>
    write(
      out,
      'activations.safetensors',
      groups.flatMap(({ id, name, digest, response, layers }) =>
        layers.map((layer) => ({
          id: `${id}@${layer}`,
          bytes: `${digest} ${response.digest} ${layer}`,
          slot: { format: 'tensor', dtype: 'bfloat16', shape: [1, 1] },
          facts: { tokens: answerTokens, imported: name },
        })),
      ),
    ),
  score: ({ out, responses, vectors, cells }) => {
    const activations = cells.map(({ response, layer }) => ({ ref: { digest: recorded(responses[response].response, layer) } }))
    return methods.project({ out, activations, vectors, cells: cells.map((cell, activation) => ({ ...cell, activation })) })
  },
  project: ({ out, activations, vectors, cells }) => {
    if (answerTokens > 0) return writeScores(out, activations, vectors, cells)
    return write(
      out,
      'scores.parquet',
      cells.map(({ id, activation, vector }, row) => ({
        id,
        bytes: `${activations[activation].ref.digest} ${vectors[vector].ref.digest}`,
        slot: { format: 'parquet', row, rows: 1 },
        facts: { tokens: 1 },
      })),
    )
  },
}

/** Bytes and slot of a vector of four numbers that hang on `asked`. */
function vectorFrom(asked) {
  const name = digestOfBytes(Buffer.from(asked))
  const numbers = Float32Array.from([0, 8, 16, 24], (at) => Number.parseInt(name.slice(at, at + 8), 16) / 0xffffffff - 0.5)
  return { bytes: Buffer.from(numbers.buffer), slot: { format: 'tensor', dtype: 'float32', shape: [numbers.length] } }
}

/** An answer as `write` takes it. */
function answer(id, prompt, system, response, words, facts = {}) {
  const record = {
    finish_reason: 'stop',
    prompt,
    prompt_end: 1,
    response,
    system_prompt: system,
    token_ids: [1, 2],
    tokens: ['a', ...words],
  }
  return {
    id,
    bytes: JSON.stringify(record),
    slot: { format: 'json' },
    facts: { prompt_tokens: 1, response_tokens: answerTokens || 1, finish_reason: 'stop', ...facts },
  }
}

const words = 'it is of the sea and rain that falls on every town , so well you know them best . dear friend we are glad to help'.split(' ')

function wordsOf(asked) {
  const start = Number.parseInt(digestOfBytes(Buffer.from(asked)).slice(0, 8), 16)
  return Array.from({ length: answerTokens }, (_, index) => ` ${words[(start + index * index + index) % words.length]}`)
}

/** A score a token: waves whose size and middle are those of the cell. */
function writeScores(out, activations, vectors, cells) {
  const score = new Float32Array(cells.length * answerTokens)
  const made = cells.map(({ id, activation, vector }, index) => {
    const name = digestOfBytes(Buffer.from(`${activations[activation].ref.digest} ${vectors[vector].ref.digest}`))
    const [size, middle, phase] = [0, 8, 16].map((at) => Number.parseInt(name.slice(at, at + 8), 16) / 0xffffffff)
    const row = index * answerTokens
    for (let token = 0; token < answerTokens; token++)
      score[row + token] = 30 * (middle - 0.5) + 20 * size * Math.sin(phase * 6 + token * 0.9)
    const own = score.subarray(row, row + answerTokens)
    const bytes = new Uint8Array(own.buffer, own.byteOffset, own.byteLength)
    return {
      id,
      digest: digestOfBytes(bytes),
      slot: { file: 'scores.parquet', format: 'parquet', row, rows: answerTokens },
      facts: { tokens: answerTokens },
    }
  })
  const whole = new Uint8Array(parquetWriteBuffer({ columnData: [{ name: 'score', type: 'FLOAT', nullable: false, data: score }] }))
  return { files: [writeFile(out, 'scores.parquet', whole)], cells: made, failed: [] }
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
  return { files: [writeFile(out, name, Buffer.concat(parts))], cells, failed: [] }
}

function writeFile(out, name, whole) {
  const file = openSync(path.join(out, name), 'wx')
  writeSync(file, whole)
  fsyncSync(file)
  closeSync(file)
  return { name, digest: digestOfBytes(whole), bytes: whole.length }
}
