import { mkdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import type { Json, JsonObject } from '../../core/json.ts'
import type { ModelSource } from '../../core/sources.ts'
import type { Calibration, ModelCalibration, Trial } from '../../plan/calibration.ts'
import { partsOf, profileOfDevices, type Speeds } from '../../plan/profile.ts'
import type { StoreLayout } from '../../store/files/layout.ts'
import { diskSpeed } from './disk-speed.ts'
import { toldParams } from '../executors/model-state.ts'
import { memoryHere } from '../preflight.ts'
import { type Sidecar, type SidecarCommand, startSidecar } from '../executors/sidecar.ts'
import { readAnswer } from '../executors/sidecar-answer.ts'
import type { Outcome } from '../executors/work.ts'

interface CalibrateOptions {
  /** Work is written into its staging, which nothing of the store refers to; the caller holds the store. */
  readonly layout: StoreLayout
  readonly sidecar: SidecarCommand
  readonly trials: readonly Trial[]
  onStep(text: string): void
}

/** A base that takes longer than this is not loaded a second time to tell its load from the start of the sidecar. */
const quickLoad = 20
/** Tokens of the first try at decoding; the second takes about so many seconds and at most so many tokens. */
const firstTokens = 8
const decodeSeconds = 8
const mostTokens = 128
/** Readings of a base that loads quickly are repeated until they took so long, at most so often. */
const prefillSeconds = 4
const mostReadings = 3

/** Measures this machine: disk, and for each trial load, switch, decoding and prefill of one batch. */
export async function calibrate({ layout, sidecar: command, trials, onStep }: CalibrateOptions): Promise<Calibration> {
  const folder = path.join(layout.staging, 'calibrate')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  try {
    onStep('writing and reading the disk')
    const disk = await diskSpeed(folder)
    const models: ModelCalibration[] = []
    for (const trial of trials) models.push(await tryOut(trial, command, folder, onStep))
    return { models, disk }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function tryOut(trial: Trial, command: SidecarCommand, folder: string, onStep: (text: string) => void): Promise<ModelCalibration> {
  const { model, adapter, prompts } = trial
  const began = performance.now()
  const sidecar = startSidecar({ ...command, sideBySide: partsOf(model), onLog: () => {} })
  try {
    await sidecar.ready
    const ready = secondsSince(began)
    onStep(`loading ${model.name}`)
    const { path: from, dtype, devices, quantization, told } = model
    const [device = 'cpu'] = devices
    const load = () => sidecar.call('load_base', { path: from, dtype, device, quantization, ...toldParams(told), token_limit: null })
    const first = await timed(load)
    const again = first < quickLoad ? await timed(load) : null
    const switched = adapter?.path ? await timed(() => putOn(sidecar, { ...adapter })) : null
    onStep(`decoding with ${model.name}, ${prompts.length} at once`)
    const { flops: decodeFlops, answers } = await decode(sidecar, trial, folder)
    onStep(`reading with ${model.name}`)
    const prefillFlops = await prefill(sidecar, model, answers, folder, again === null ? null : load)
    const figures: Partial<Speeds> = {
      ...(decodeFlops === null ? {} : { decodeFlops }),
      ...(prefillFlops === null ? {} : { prefillFlops }),
      loadSeconds: again ?? first,
      ...(switched === null ? {} : { switchSeconds: switched }),
      ...(again === null ? {} : { startSeconds: ready + Math.max(0, first - again) }),
      ...(device === 'cpu' ? { memoryBytes: memoryHere() } : {}),
    }
    return { model, together: prompts.length, figures, profile: profileOfDevices(devices) }
  } finally {
    await sidecar.close()
  }
}

interface Answers extends Outcome {
  readonly folder: string
}

/**
 * Decoding alone: what more tokens take than one token does, which has the same prompts before it. Null where every
 * answer ended with its first token.
 */
async function decode(sidecar: Sidecar, { model, prompts }: Trial, folder: string): Promise<{ flops: number | null; answers: Answers }> {
  const answer = async (tokens: number): Promise<{ seconds: number; answers: Answers }> => {
    const out = emptyFolder(path.join(folder, 'answers'))
    const cells = prompts.map(({ text, systemPrompt }, index) => ({ id: `${index}`, prompt: text, system_prompt: systemPrompt, seed: 0 }))
    const params = { out, cells, max_new_tokens: tokens, temperature: 0, top_p: 1, together: prompts.length }
    const { seconds, outcome } = await asked(
      sidecar,
      'generate',
      params,
      cells.map(({ id }) => id),
    )
    return { seconds, answers: { ...outcome, folder: out } }
  }
  await answer(1)
  const one = await answer(1)
  let more = await answer(firstTokens)
  const step = (more.seconds - one.seconds) / (firstTokens - 1)
  const tokens = Math.min(mostTokens, Math.floor(decodeSeconds / Math.max(step, 1e-3)))
  if (tokens > firstTokens) more = await answer(tokens)
  const decoded = tokensIn(more.answers, 'response_tokens') - tokensIn(one.answers, 'response_tokens')
  const seconds = more.seconds - one.seconds
  return { flops: decoded > 0 && seconds > 0 ? (2 * model.facts.activeParameters * decoded) / seconds : null, answers: more.answers }
}

/**
 * The answers read again by the clean model through all of its blocks. It keeps the prompts that it has read, so it is
 * loaded anew before it reads them another time; `load`: null where that takes long.
 */
async function prefill(
  sidecar: Sidecar,
  { facts }: ModelSource,
  answers: Answers,
  folder: string,
  load: (() => Promise<Json>) | null,
): Promise<number | null> {
  const layer = facts.layers - 1
  const names = new Map(answers.files.map(({ digest, name }) => [digest, name]))
  const groups = answers.cells.map(({ id, digest, slot }) => {
    const { object, format: _format, ...range } = slot
    const response = { path: path.join(answers.folder, names.get(object) as string), digest, ...(range as JsonObject) }
    return { id, response, layers: [layer] }
  })
  if (groups.length === 0) return null
  const cells = groups.map(({ id }) => `${id}@${layer}`)
  const tokens = tokensIn(answers, 'prompt_tokens') + tokensIn(answers, 'response_tokens')
  const most = load === null ? 1 : mostReadings
  let [seconds, readings] = [0, 0]
  await putOn(sidecar, null)
  while (readings < most && seconds < prefillSeconds) {
    if (readings > 0) await load?.()
    const params = { out: emptyFolder(path.join(folder, 'read')), groups, component: 'residual', positions: 'response', raw: 'keep' }
    seconds += (await asked(sidecar, 'capture', params, cells)).seconds
    readings++
  }
  return (2 * facts.activeParameters * tokens * readings) / seconds
}

function tokensIn({ cells }: Outcome, fact: string): number {
  return cells.reduce((sum, { facts }) => sum + Number(facts[fact] ?? 0), 0)
}

async function putOn(sidecar: Sidecar, adapter: JsonObject | null): Promise<Json> {
  return sidecar.call('set_adapter', { adapter })
}

async function asked(sidecar: Sidecar, method: string, params: JsonObject, cells: readonly string[]) {
  const began = performance.now()
  const answer = await sidecar.call(method, params)
  return { seconds: secondsSince(began), outcome: readAnswer(answer, method, cells) }
}

async function timed(work: () => Promise<Json>): Promise<number> {
  const began = performance.now()
  await work()
  return secondsSince(began)
}

function secondsSince(began: number): number {
  return (performance.now() - began) / 1000
}

function emptyFolder(folder: string): string {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { mode: 0o700 })
  return folder
}
