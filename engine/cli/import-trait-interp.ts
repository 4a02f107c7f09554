import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { type Checked, checkExperiment, type FoundExperiment } from '../../steps/interop/import-check.ts'
import { answerFacts } from '../../steps/interop/import-facts.ts'
import { experimentLayout } from '../../steps/interop/import-layout.ts'
import { type Acceptable, type ImportRule, importRules } from '../../steps/interop/import-rules.ts'
import { importWorkflow } from '../../steps/interop/import-workflow.ts'
import type { Diagnostic } from '../core/diagnostic.ts'
import type { RecordingFacts, VectorFacts } from '../core/experiment.ts'
import { type Json, isObject } from '../core/json.ts'
import { isName } from '../core/names.ts'
import { type ImportReport, importText } from '../report/import-text.ts'
import { filesBelow, inspectFiles, readJsonFile } from '../run/interop/read-experiment.ts'
import type { SidecarCommand } from '../run/executors/sidecar.ts'
import type { CliContext } from './common/context.ts'
import { exitCodes } from './common/exit-codes.ts'
import { sidecarCommand } from './common/places.ts'
import { type ProgressLine, progressLine } from './common/progress-line.ts'
import { reportProblems } from './common/report-problems.ts'

export interface ImportFlags {
  readonly to?: string
  readonly prompts?: string
  readonly accept?: readonly Acceptable[]
  readonly details: boolean
  readonly json: boolean
}

/** Says what of an experiment can be trusted, and writes a workflow that takes it. The experiment is only read. */
export async function importTraitInterp(this: CliContext, flags: ImportFlags, folder: string): Promise<void> {
  const { process } = this
  const sidecar = sidecarCommand(process.env)
  if (!sidecar.ok) return reportProblems(process, [sidecar.error])
  const problem = folderProblem(folder) ?? (flags.to === undefined ? null : targetProblem(flags.to))
  if (problem) return reportProblems(process, [problem])
  const progress = progressLine(process.stderr, Date.now)
  const found = await readExperiment(folder, flags, sidecar.value, progress).finally(() => progress.end())
  const checked = checkExperiment(found)
  const nothing = checked.taken.length + checked.vectors.length === 0
  const workflow = nothing ? null : (flags.to ?? null)
  if (workflow !== null) {
    mkdirSync(path.dirname(workflow), { recursive: true })
    const from = path.relative(path.dirname(path.resolve(workflow)), path.resolve(folder)).replaceAll(path.sep, '/') || '.'
    writeFileSync(workflow, importWorkflow(workflowName(workflow), from, found, checked), { flag: 'wx' })
  }
  const report = reportOf(folder, found, checked, workflow)
  process.stdout.write(flags.json ? `${JSON.stringify(report, null, 2)}\n` : importText(report, importRules, flags.details))
  if (nothing) process.exitCode = exitCodes.usage
}

/** Reads every file that the report speaks of, one after another: only what is compared is kept. */
async function readExperiment(
  folder: string,
  { prompts, accept = [] }: ImportFlags,
  sidecar: SidecarCommand,
  progress: ProgressLine,
): Promise<FoundExperiment> {
  const config = readJsonFile(path.join(folder, 'config.json'))
  const layout = experimentLayout(filesBelow(folder), config.ok ? config.value : null)
  const { responses, recordings, replays, vectors } = layout
  const answers = new Map(
    responses.map(({ path: file }, index) => {
      progress.show(() => `reading: ${index} of ${responses.length} responses`)
      const content = readJsonFile(path.join(folder, file))
      return [file, content.ok ? answerFacts(content.value) : { wrong: content.error }]
    }),
  )
  const found = { recordings: new Map<string, RecordingFacts>(), vectors: new Map<string, VectorFacts>() }
  const recorded = [...recordings, ...replays].map((file) => file.path)
  await inspectFiles({
    sidecar,
    folder: path.resolve(folder),
    recordings: recorded,
    vectors: vectors.map((file) => file.path),
    onRecording(file, facts) {
      found.recordings.set(file, facts)
      progress.show(() => `reading: ${found.recordings.size} of ${recorded.length} recordings`)
    },
    onVector: (file, facts) => found.vectors.set(file, facts),
  })
  const sets = new Set(responses.map(({ set }) => set))
  const from = prompts ?? path.join(folder, '..', '..', 'datasets', 'inference')
  const promptSets = new Map([...sets].flatMap((set) => promptsOf(path.join(from, `${set}.json`)).map((texts) => [set, texts] as const)))
  return { layout, answers, ...found, promptSets, accept }
}

/** Texts by id of a prompt set's file, where it is one. */
function promptsOf(file: string): ReadonlyMap<string, string>[] {
  const content = readJsonFile(file)
  const prompts = content.ok && isObject(content.value) ? content.value.prompts : undefined
  if (!Array.isArray(prompts)) return []
  return [new Map((prompts as Json[]).flatMap((prompt) => (isObject(prompt) ? [[String(prompt.id), String(prompt.text)]] : [])))]
}

function reportOf(
  folder: string,
  { layout, promptSets, accept }: FoundExperiment,
  checked: Checked,
  workflow: string | null,
): ImportReport {
  const { taken, vectors, layers, hidden, sides, findings } = checked
  const unknown = [...new Set(layout.responses.map(({ set }) => set))].filter((set) => !promptSets.has(set))
  const accepted = (rule: ImportRule) => (accept as readonly ImportRule[]).includes(rule)
  return {
    experiment: folder,
    found: {
      responses: layout.responses.length,
      recordings: layout.recordings.length + layout.replays.length,
      vectors: layout.vectors.length,
    },
    taken: {
      answers: taken.length,
      organisms: [...new Set(taken.map(({ organism }) => organism))],
      sets: [...new Set(taken.map(({ set }) => set))],
      recordedOf: [...(sides.organism ? (['organism'] as const) : []), ...(sides.clean ? (['clean'] as const) : [])],
      layers,
      hidden,
      vectors: vectors.length,
    },
    findings: findings.map((finding) => ({ ...finding, accepted: accepted(finding.rule) })),
    notes: unknown.length > 0 ? [`the prompt sets ${unknown.join(', ')} are not there to compare with; --prompts names their folder`] : [],
    workflow,
  }
}

function workflowName(file: string): string {
  return path.basename(file).replace(/\.ya?ml$/, '')
}

function folderProblem(folder: string): Diagnostic | null {
  if (/[{}*]/.test(path.resolve(folder))) {
    const message = `${folder} cannot be written in a pattern of a workflow, because of a {, } or * in its path`
    return { severity: 'error', rule: 'pattern', message, hint: 'rename the folder, or reach it by a symbolic link' }
  }
  if (statSync(path.join(folder, 'inference'), { throwIfNoEntry: false })?.isDirectory()) return null
  if (statSync(path.join(folder, 'extraction'), { throwIfNoEntry: false })?.isDirectory()) return null
  return {
    severity: 'error',
    rule: 'no-experiment',
    message: `${folder} is no experiment of trait-interp: it has neither inference/ nor extraction/`,
    hint: 'name the folder of one experiment, such as experiments/NAME',
  }
}

function targetProblem(file: string): Diagnostic | null {
  const say = (rule: string, message: string, hint: string): Diagnostic => ({ severity: 'error', rule, message, hint })
  if (statSync(file, { throwIfNoEntry: false }))
    return say('file-there', `${file} is there already`, 'name a new file with --to: nothing of yours is written over')
  if (!/\.ya?ml$/.test(file) || !isName(workflowName(file)))
    return say(
      'name',
      `"${path.basename(file)}" cannot be the name of a workflow file`,
      'lower-case letters, digits, ".", "_" and "-", then .yaml',
    )
  return null
}
