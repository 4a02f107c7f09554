// `npm run bench:growth`: how the engine's cost grows from a thousand cells to three million; writes the table and the plot
// of docs/growth.md.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { jobIn, medians, shapes } from './lib/job-figures.mjs'
import { logPlot } from './lib/log-plot.mjs'
import { at, main, setUp } from './lib/setup.mjs'

const rounds = Number(process.env.BENCH_ROUNDS ?? 5)

/** What is measured of each size, with its column of the table. */
const columns = [
  { name: 'run', head: 'first run, model answering at once', unit: 's' },
  { name: 'perCell', head: 'of it per cell', unit: 'µs' },
  { name: 'runMb', head: 'its memory', unit: 'MB' },
  { name: 'plan', head: 'plan of a cold graph', unit: 's' },
  { name: 'planMb', head: 'its memory', unit: 'MB' },
  { name: 'edit', head: 'plan after one prompt edited', unit: 's' },
  { name: 'trait', head: 'plan after a trait was added', unit: 's' },
  { name: 'traitMb', head: 'its memory', unit: 'MB' },
  { name: 'noop', head: 'nothing to do', unit: 's' },
  { name: 'noopMb', head: 'its memory', unit: 'MB' },
]

await main(async () => {
  await setUp()
  const folder = mkdtempSync(path.join(tmpdir(), 'dag-growth-'))
  try {
    const rows = Object.keys(shapes).map((size) => measure(path.join(folder, size), shapes[size]))
    writeFileSync(at('docs', 'growth.md'), page(rows))
    const series = ['run', 'plan', 'edit', 'trait', 'noop'].map((name) => ({
      label: columns.find((column) => column.name === name).head,
      points: rows.map((row) => [row.cells, row[name]]),
    }))
    writeFileSync(at('docs', 'images', 'growth.svg'), logPlot({ x: 'cells', y: 'seconds, whole process', series }))
    return 0
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

function measure(folder, shape) {
  const job = jobIn(folder, shape)
  process.stderr.write(`bench: ${job.cells} cells\n`)
  const plan = medians(3, job.plan)
  const run = job.runAndMemory()
  job.run()
  const noop = medians(rounds, job.runAndMemory)
  const edit = medians(rounds, job.planOneEdit)
  const trait = medians(3, job.planOneTrait)
  return {
    cells: job.cells,
    run: run.ms / 1000,
    perCell: (run.ms * 1000) / job.cells,
    runMb: run.rssMb,
    plan: plan.ms / 1000,
    planMb: plan.rssMb,
    edit: edit / 1000,
    trait: trait.ms / 1000,
    traitMb: trait.rssMb,
    noop: noop.ms / 1000,
    noopMb: noop.rssMb,
  }
}

function page(rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  const table = [
    line(['cells', ...columns.map(({ head, unit }) => `${head} (${unit})`)]),
    line(Array.from({ length: columns.length + 1 }, () => '--:')),
    ...rows.map((row) => line([row.cells.toLocaleString('en'), ...columns.map(({ name }) => figure(row[name]))])),
  ]
  return `# How cost grows

What the engine itself costs on the main job, from a thousand cells to the three million of the reference night at all its
layers: whole processes, medians, on two cores, with a sidecar that answers at once. \`npm run bench:growth\` writes
this page.

${table.join('\n')}

![seconds against cells, both logarithmic](images/growth.svg)

A first run and a cold plan grow with the cells. "Nothing to do" grows with the files that a workflow names, not with
its cells. The plan after a prompt was edited looks only at that prompt's cells, that after a trait was added at the
keys of all cells of the tasks that project onto it. Cells of tasks that were used longer ago are packed, so that
memory grows by some hundred bytes a cell.
`
}

function figure(value) {
  return value >= 10 ? Math.round(value).toLocaleString('en') : value.toPrecision(2)
}
