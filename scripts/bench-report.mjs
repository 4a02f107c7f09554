// `npm run -s bench:report`: prints one JSON object with what the report page costs at the size of a night: 56 organisms
// × 275 prompts, answers of 300 tokens, 6 traits, through the real steps; only the model's part is made up. Pages are
// opened as files in a headless Chromium. `BENCH_FOLDER` keeps the workspace, `BENCH_SHOTS` takes pictures into a folder.
import { appendFileSync, existsSync, globSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { writeJob } from '../test/bench/workloads.mjs'
import { browserProgram, noBrowser, startBrowser } from '../test/support/browser.ts'
import { models, round } from './lib/job-figures.mjs'
import { dag, median } from './lib/measure.mjs'
import { at, main, node24, setUp } from './lib/setup.mjs'

const shape = { organisms: 56, sets: 5, prompts: 55, layers: 1, projected: 1, traits: 6 }
const rounds = 5
const reports = (folder) => path.join(folder, 'experiments', 'job', 'reports', 'report')
const say = (text) => process.stderr.write(`bench: ${text}\n`)

await main(async () => {
  await setUp()
  if (!browserProgram) {
    say(noBrowser)
    return 1
  }
  const folder = process.env.BENCH_FOLDER ?? mkdtempSync(path.join(tmpdir(), 'dag-bench-'))
  try {
    process.stdout.write(`${JSON.stringify({ ...made(folder), ...(await opened(folder)) })}\n`)
    return 0
  } finally {
    if (!process.env.BENCH_FOLDER) rmSync(folder, { recursive: true, force: true })
  }
})

function made(folder) {
  const env = { DAG_SIDECAR: `${node24} ${at('test', 'bench', 'instant-sidecar.mjs')} 300` }
  const run = () => dag(['run', '--ui', 'json', 'flow.yaml'], { cwd: folder, env }).ms
  if (!existsSync(path.join(folder, 'flow.yaml'))) {
    writeJob(folder, models(), shape)
    say('answers and scores')
    run()
    appendFileSync(path.join(folder, 'flow.yaml'), '  ranking: { kind: rank, of: scores }\n')
    say('rankings')
    run()
  }
  appendFileSync(path.join(folder, 'flow.yaml'), '  report: { kind: report, of: ranking }\n')
  say('the report')
  const report = run()
  appendFileSync(path.join(folder, 'flow.yaml'), '  tables: { kind: export, of: scores }\n')
  say('tables')
  const tables = run()
  const bytes = (pattern) => globSync(path.join(folder, 'experiments', 'job', pattern)).reduce((sum, file) => sum + statSync(file).size, 0)
  return {
    answers: shape.organisms * shape.sets * shape.prompts,
    make_report_s: round(report / 1000),
    make_tables_s: round(tables / 1000),
    first_page_bytes: bytes('reports/report/report.html'),
    values_of_a_trait_bytes: round(bytes('reports/report/data/values*') / shape.traits),
    answers_of_a_set_bytes: round(bytes('reports/report/data/answers*') / shape.organisms / shape.sets),
    report_bytes: bytes('reports/report/**/*.{html,js}'),
    tables_bytes: bytes('scores/**/*.parquet'),
  }
}

async function opened(folder) {
  const browser = await startBrowser()
  const file = path.join(reports(folder), 'report.html')
  try {
    const figures = []
    for (let index = 0; index < rounds; index++) figures.push(await visit(await browser.open(file, { width: 1280, height: 900 })))
    await pictures(browser, file)
    return Object.fromEntries(Object.keys(figures[0]).map((name) => [name, round(median(figures.map((each) => each[name])))]))
  } finally {
    await browser.close()
  }
}

/** Milliseconds since the page was asked for, or since a key was pressed; the heap is at its highest after 60 answers were read. */
async function visit(page) {
  const shown = 'document.querySelector("#detail").dataset.shown'
  await page.until(shown)
  const [first] = await page.evaluate(`performance.getEntriesByType('paint').map(({ startTime }) => startTime)`)
  const times = await page.evaluate(
    'Object.fromEntries(performance.getEntriesByType("mark").map(({ name, startTime }) => [name, startTime]))',
  )
  const change = (work) =>
    page.evaluate(`(async () => {
    const detail = document.querySelector('#detail'), before = detail.dataset.shown, started = performance.now()
    ${work}
    while (detail.dataset.shown === before) await new Promise((resolve) => setTimeout(resolve))
    return performance.now() - started
  })()`)
  const press = (key) => `document.querySelector('#list').dispatchEvent(new KeyboardEvent('keydown', { key: '${key}' }))`
  const [fresh, next, trait] = [await change(press('End')), await change(press('ArrowUp')), await change(`change({ column: 3 })`)]
  let heap = await page.heap()
  for (let index = 0; index < 60; index++) {
    await change(press('PageDown') + ';' + press('ArrowUp'))
    if (await page.evaluate('state.answer === order.at(-1) || state.answer === order.at(-2)')) await change(press('Home'))
    heap = Math.max(heap, await page.heap())
  }
  return {
    open_to_matrix_ms: first,
    open_to_rankings_ms: times.list,
    open_to_first_answer_ms: times.detail,
    open_another_answer_ms: fresh,
    open_its_neighbour_ms: next,
    another_trait_ms: trait,
    heap_peak_mb: heap / 1e6,
    heap_kept_mb: (await page.heap(true)) / 1e6,
    elements: await page.evaluate('document.querySelectorAll("*").length'),
  }
}

async function pictures(browser, file) {
  const to = process.env.BENCH_SHOTS
  if (!to) return
  mkdirSync(to, { recursive: true })
  for (const [name, size, options] of [
    ['wide', { width: 1280, height: 900 }, {}],
    ['wide-dark', { width: 1280, height: 900 }, { dark: true }],
    ['narrow', { width: 390, height: 844 }, {}],
  ]) {
    const page = await browser.open(file, size, options)
    await page.until('document.querySelector("#detail").dataset.shown')
    await page.screenshot(path.join(to, `${name}.png`))
  }
}
