// `npm run -s bench:engine`: prints one JSON object with what the engine itself costs: whole processes in turn with
// ninja on the same graph and with a bare node, medians; the model's work is answered at once by
// test/bench/instant-sidecar.mjs. `BENCH_SIZES=small` leaves out the million cells.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { writeCats } from '../test/bench/workloads.mjs'
import { jobIn, medians, round, shapes } from './lib/job-figures.mjs'
import { dag, median, time } from './lib/measure.mjs'
import { at, main, node24, setUp } from './lib/setup.mjs'

const rounds = Number(process.env.BENCH_ROUNDS ?? 11)
const say = (text) => process.stderr.write(`bench: ${text}\n`)

await main(async () => {
  await setUp()
  const folder = mkdtempSync(path.join(tmpdir(), 'dag-bench-'))
  try {
    const figures = { ...start(), ...cats(folder, 56), ...cats(folder, 448), ...overhead(folder), ...oneEdit(folder), ...schedule() }
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

/** What a cell costs from the plan to its commit. */
function overhead(folder) {
  const job = jobIn(path.join(folder, 'overhead'), shapes[1e5])
  say(`${job.cells} cells, cold`)
  return { overhead_per_cell_us: round((job.run() * 1000) / job.cells), overhead_cells: job.cells }
}

/**
 * 3,600 tasks and 123,000 cells of the main job, once with 16 prompts and once with 272 to each organism: nothing to
 * do, and the plan after one prompt was edited.
 */
function oneEdit(folder) {
  const jobs = {
    '': { organisms: 179, sets: 4, prompts: 4, layers: 4, projected: 1, traits: 17 },
    _of_272: { organisms: 56, sets: 8, prompts: 34, layers: 1, projected: 1, traits: 3 },
  }
  return Object.assign({}, ...Object.entries(jobs).map(([name, shape]) => oneEditOf(path.join(folder, `edit${name}`), name, shape)))
}

function oneEditOf(folder, name, shape) {
  const job = jobIn(folder, shape)
  say(`${job.cells} cells, cold`)
  job.run()
  say(`${job.cells} cells, nothing to do, and one prompt edited`)
  job.run()
  const noop = medians(rounds, job.run)
  const edit = medians(rounds, job.planOneEdit)
  return {
    [`noop_cells${name}`]: job.cells,
    [name === '' ? 'noop_123200_cells_ms' : `noop${name}_ms`]: round(noop),
    [`plan_one_edit${name}_ms`]: round(edit),
    [`plan_one_edit${name}_ratio`]: round(edit / noop),
  }
}

/** A million cells: the plan when nothing is made, and the no-op when everything is. */
function million(folder) {
  const job = jobIn(path.join(folder, 'million'), shapes[1e6])
  say(`${job.cells} cells, the plan of a cold graph`)
  const plan = medians(3, job.plan)
  say(`${job.cells} cells, cold`)
  job.run()
  say(`${job.cells} cells, nothing to do`)
  job.run()
  const noop = medians(rounds, job.runAndMemory)
  return {
    million_cells: job.cells,
    cold_plan_1e6_ms: round(plan.ms),
    cold_plan_1e6_rss_mb: round(plan.rssMb),
    noop_1e6_cells_ms: round(noop.ms),
    noop_1e6_cells_rss_mb: round(noop.rssMb),
  }
}

function schedule() {
  return { schedule_10k_ms: round(Number(time(node24, [at('test', 'bench', 'schedule.mjs')]).stdout)) }
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
