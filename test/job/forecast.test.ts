import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { formatDuration } from '../../engine/core/format.ts'
import { dag } from '../support/dag.ts'
import { root } from '../support/paths.ts'
import type { PlanReport } from '../../engine/report/plan-report.ts'
import { freshWorkspace, workflowFile } from '../support/workspace.ts'

const overnight = 'workflows/overnight.yaml'

async function forecastOf(profile: string, workflow = overnight): Promise<PlanReport> {
  const store = freshWorkspace().at('cache')
  const { code, stdout, stderr } = await dag(root, ['plan', '--json', '--store', store, '--profile', profile, workflow])
  expect([code, stderr]).toEqual([0, ''])
  return JSON.parse(stdout) as PlanReport
}

const stages = [
  ['vectors', 'vectors'],
  ['answers', 'answers'],
  ['recordings of the organisms', 'answers.capture'],
  ['recordings of the clean model', 'clean'],
  ['projections', 'scores'],
] as const
const hour = 3600
const secondsOf = (report: PlanReport, stage: string) => report.stages.find((each) => each.stage === stage)?.seconds as number

test('the reference run is forecast for two machines, each figure as docs/forecast.md has it', async () => {
  const figures = (report: PlanReport) => [report.forecast.seconds, report.forecast.secondsAtHalf, report.forecast.basis, report.modelLoads]
  const [a100, h100] = [await forecastOf('a100-80gb'), await forecastOf('h100-80gb')]
  expect(figures(a100)).toEqual([107_971.9, 57_825.4, 'profile a100-80gb', 1])
  expect(figures(h100)).toEqual([63_761.7, 33_298.9, 'profile h100-80gb', 1])
  const page = readFileSync(path.join(root, 'docs', 'forecast.md'), 'utf8')
  const row = (name: string, seconds: (report: PlanReport) => number, mark = '') =>
    `| ${mark}${name}${mark} | ${[a100, h100].map((report) => `${mark}${formatDuration(seconds(report))}${mark}`).join(' | ')} |`
  for (const [name, stage] of stages) expect(page).toContain(row(name, (report) => secondsOf(report, stage)))
  expect(page).toContain(row('whole, answers as long as allowed', ({ forecast }) => forecast.seconds, '**'))
  expect(page).toContain(row('whole, answers half as long', ({ forecast }) => forecast.secondsAtHalf as number, '**'))
})

test('eight GPUs take an eighth of the time and a little, as docs/forecast.md says', async () => {
  const workspace = freshWorkspace()
  const text = readFileSync(path.join(root, overnight), 'utf8')
  const eight = Array.from({ length: 8 }, (_, index) => `"cuda:${index}"`).join(', ')
  workspace.write(workflowFile, text.replaceAll('../', `${root}/`).replace('device: cuda', `device: [${eight}]`))
  const { forecast, devices, modelLoads, adapterSwitches } = await forecastOf('a100-80gb', workspace.at(workflowFile))
  expect([devices.length, modelLoads, forecast.seconds, forecast.secondsAtHalf]).toEqual([8, 8, 13_747.1, 7456.4])
  const page = readFileSync(path.join(root, 'docs', 'forecast.md'), 'utf8')
  const times = `**${formatDuration(forecast.seconds)}**, or ${formatDuration(forecast.secondsAtHalf as number)} where answers are half as long`
  expect(page).toContain(`${times}, with ${modelLoads} base loads and ${adapterSwitches} adapter switches`)
})

test('loads, time, critical path, memory, disk over time and ways to keep recordings are as docs/forecast.md shows them', async () => {
  const store = freshWorkspace().at('cache')
  const { stdout } = await dag(root, ['plan', '--store', store, '--profile', 'a100-80gb', overnight])
  const [block] = /^ {2}base loads [^]*(?=\n\nwhy\n)/m.exec(stdout) as unknown as [string]
  expect(block).toMatch(/critical path [^]* memory [^]* on disk after [^]* raw: keep /)
  expect(readFileSync(path.join(root, 'docs', 'forecast.md'), 'utf8')).toContain(`\`\`\`\n${block}\n\`\`\``)
})

test('the plan as data: the path adds up to the time, the end of the disk to the bytes with what is noted and shown, and every policy is in it', async () => {
  const { forecast, memory, policies } = await forecastOf('a100-80gb')
  expect(forecast.criticalPath.reduce((sum, part) => sum + part.seconds, 0)).toBeCloseTo(forecast.seconds, 0)
  const { series, peak } = forecast.disk
  const written = forecast.bytes + (peak.ofClass.results as number) / 2 + (peak.ofClass.index as number)
  expect([series.length, series.at(-1)?.bytes]).toEqual([20, peak.bytes])
  expect(peak.bytes).toBeCloseTo(written, 0)
  expect(memory).toEqual([
    {
      model: 'instruct',
      bytes: 40_214_860_923,
      together: 54,
      longest: 367,
      tokenBytes: 54 * 367 * 327_680,
      peakBytes: 40_214_860_923 + 54 * 367 * 327_680,
      devices: 1,
      deviceBytes: 80e9,
      gpusNeeded: 1,
      misfit: null,
    },
  ])
  expect(policies.map(({ policy, asWritten }) => [policy, asWritten])).toEqual([
    ['keep', true],
    ['keep-int8', false],
    ['evict-after-projection', false],
    ['never', false],
  ])
})

test('the ways to keep recordings are forecast of a small run only where asked for', async () => {
  const workspace = freshWorkspace()
  const policiesOf = async (...flags: string[]) => {
    const { stdout } = await dag(workspace.folder, ['plan', '--json', ...flags, workflowFile])
    return (JSON.parse(stdout) as PlanReport).policies.map(({ policy, bytes }) => [policy, bytes])
  }
  expect(await policiesOf()).toEqual([])
  const [keep, int8, evicting, never] = await policiesOf('--raw-policies')
  // 36 answers of 6 tokens, recorded at two layers of 64 numbers on both sides; only one of the layers is projected.
  const states = 36 * 2 * 6
  expect([keep?.[0], int8?.[0], evicting?.[0], never?.[0]]).toEqual(['keep', 'keep-int8', 'evict-after-projection', 'never'])
  expect(evicting?.[1]).toBe(keep?.[1])
  expect([Number(keep?.[1]) - Number(int8?.[1]), Number(keep?.[1]) - Number(never?.[1])]).toEqual([states * (128 - 68), states * 128])
})

test('a batch that does not fit the memory, and weights that do not, are warned of', async () => {
  const text = readFileSync(path.join(root, overnight), 'utf8').replaceAll('../datasets', path.join(root, 'datasets'))
  const warningOf = async (changed: string) => {
    const workspace = freshWorkspace()
    workspace.write('workflows/large.yaml', changed)
    const { stdout } = await dag(workspace.folder, ['plan', '--profile', 'a100-80gb', 'workflows/large.yaml'])
    return stdout.split('\n').filter((line) => line.includes('warning'))
  }
  expect(await warningOf(text.replace('batch_size: 54', 'batch_size: 165').replace('max_new_tokens: 300', 'max_new_tokens: 600'))).toEqual([
    '  warning           half of what the weights of instruct leave, 19.9 GB, is for tokens: about 91 of 165 answers are worked on at once, which is slower',
  ])
  expect(await warningOf(text.replace('quantization: nf4', ''))).toEqual([
    '  warning           instruct does not fit: its weights alone take 141 GB, there are 80.0 GB; it would on 2 GPUs: `device: cuda:0+cuda:1`',
  ])
  expect(await warningOf(text.replace('device: cuda', 'device: cuda:0+cuda:1').replace('quantization: nf4', ''))).toEqual([])
})

test('what the script of 2025 was heading for is its answers, its replays and its 336 loads: 45 hours within a tenth', async () => {
  const report = await forecastOf('a100-80gb')
  const { naiveModelLoads } = report
  expect(naiveModelLoads).toBe(336)
  const script = secondsOf(report, 'answers') + secondsOf(report, 'answers.capture') + secondsOf(report, 'clean') + 335 * 150
  expect(Math.abs(script / (45 * hour) - 1)).toBeLessThan(0.1)
})

test('14 organisms replayed through all 80 blocks, as that script did it, are 20 to 30 minutes', async () => {
  const clean = secondsOf(await forecastOf('a100-80gb'), 'clean')
  const replay = 150 + (clean * (14 / 56) * 80) / 51
  expect([replay > 20 * 60, replay < 30 * 60]).toEqual([true, true])
})

test('the second run of 2025, one base resident, took 16 hours: that of answers half as long as allowed', async () => {
  const { secondsAtHalf } = (await forecastOf('a100-80gb')).forecast
  expect(Math.abs((secondsAtHalf as number) / (16 * hour) - 1)).toBeLessThan(0.1)
})

test('a profile of ones own is a file with every speed; what is wrong with one is said', async () => {
  const workspace = freshWorkspace()
  const plan = (profile: string) => dag(workspace.folder, ['plan', '--profile', profile, 'flow.yaml'])
  const timed = { decodeFlops: 1e12, prefillFlops: 1e13, loadSeconds: 1, switchSeconds: 1, startSeconds: 1, cellsPerSecond: 1 }
  const speeds = { ...timed, writeBytes: 1e9, readBytes: 1e9, memoryBytes: 1e9 }
  workspace.write('flow.yaml', 'workflow: flow\nsteps:\n  a: { kind: command, run: "date > {out.now}", outputs: { now: now.txt } }\n')
  workspace.write('own.json', JSON.stringify(speeds))
  workspace.write('slow.json', JSON.stringify({ ...speeds, loadSeconds: 0 }))
  workspace.write('more.json', JSON.stringify({ ...speeds, price: 2 }))
  expect((await plan('own.json')).stdout).toContain('time              about 1.0 s (from profile own.json)')
  const error = async (profile: string) => (await plan(profile)).stderr.split('\n')[0]
  expect(await error('a10')).toBe(
    'error: there is no profile "a10" (known: cpu-2core, a100-80gb, h100-80gb, mps); one of your own is a JSON file [profile]',
  )
  expect(await error('none.json')).toBe('error: the profile none.json is not there [profile]')
  expect(await error('slow.json')).toBe('error: slow.json: "loadSeconds" must be a number above zero [profile]')
  expect(await error('more.json')).toBe(
    'error: more.json: "price" is not one of decodeFlops, prefillFlops, loadSeconds, switchSeconds, startSeconds, cellsPerSecond, writeBytes, readBytes, memoryBytes [profile]',
  )
})
