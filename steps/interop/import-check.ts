import type { RecordingFacts, VectorFacts } from '../../engine/core/experiment.ts'
import { isName } from '../../engine/core/names.ts'
import { vectorId } from '../common/vectors.ts'
import { type AnswerFacts, type RecordedShape, recordingShape } from './import-facts.ts'
import type { AnswerFile, ExperimentLayout, VectorFile } from './import-layout.ts'
import type { Acceptable, Finding, ImportRule } from './import-rules.ts'

/** An experiment with what its files hold, by path. */
export interface FoundExperiment {
  readonly layout: ExperimentLayout
  readonly answers: ReadonlyMap<string, AnswerFacts | { readonly wrong: string }>
  readonly recordings: ReadonlyMap<string, RecordingFacts>
  readonly vectors: ReadonlyMap<string, VectorFacts>
  /** Texts of the prompts by id, of the sets that are known. */
  readonly promptSets: ReadonlyMap<string, ReadonlyMap<string, string>>
  readonly accept: readonly Acceptable[]
}

/** What can be taken of an experiment, and all that is wrong with it. */
export interface Checked {
  readonly findings: readonly Finding[]
  readonly taken: readonly AnswerFile[]
  /** Layers that are recorded on every side; none where there is no recording. */
  readonly layers: readonly number[]
  readonly sides: { readonly organism: boolean; readonly clean: boolean }
  readonly hidden: number | null
  readonly vectors: readonly VectorFile[]
}

type Side = 'recordings' | 'replays'

/** Whose states a side holds. */
const whose: Readonly<Record<Side, string>> = { recordings: 'of the organism', replays: 'of the clean model' }

/** Compares every file with those beside it. An answer is taken when all that there should be of it can be trusted. */
export function checkExperiment(found: FoundExperiment): Checked {
  const { layout, accept } = found
  const whole = wholeAnswers(found)
  const recorded = { recordings: recordedAnswers(found, 'recordings', whole.kept), replays: recordedAnswers(found, 'replays', whole.kept) }
  const sides = { organism: recorded.recordings.shapes.size > 0, clean: recorded.replays.shapes.size > 0 }
  const alike = alikeShapes(recorded, layout)
  const findings = [...whole.findings, ...recorded.recordings.findings, ...recorded.replays.findings, ...alike.findings]
  const out = new Set(findings.map(({ rule, leavesOut }) => ((accept as readonly ImportRule[]).includes(rule) ? null : leavesOut)))
  const vectors = wholeVectors(found, alike.hidden)
  return {
    findings: [...findings, ...vectors.findings],
    taken: whole.kept.filter((file) => !out.has(answerId(file))),
    layers: alike.layers,
    sides,
    hidden: vectors.hidden,
    vectors: vectors.kept,
  }
}

export function answerId({ organism, set, prompt }: AnswerFile): string {
  return `${organism}/${set}/${prompt}`
}

/** Answers that are whole in themselves, with what is told of all of them. */
function wholeAnswers(found: FoundExperiment): { kept: AnswerFile[]; findings: Finding[] } {
  const findings: Finding[] = []
  const kept = found.layout.responses.filter((file) => {
    const facts = found.answers.get(file.path)
    const bad = [file.organism, ...file.set.split('/'), file.prompt].find((name) => !isName(name))
    if (bad !== undefined) findings.push(finding('name', file, `"${bad}"`))
    else if (!facts || 'wrong' in facts) findings.push(finding('answer', file, facts?.wrong ?? 'it was not read'))
    else return true
    return false
  })
  const ends = kept.map((file) => endOf(file, found))
  const longest = Math.max(0, ...ends.map(({ tokens }) => tokens))
  for (const { file, tokens, special } of ends) {
    if (!special && tokens < longest)
      findings.push(finding('missing-end', file, `it ends after ${tokens} tokens without an end token; the longest has ${longest}`))
  }
  const bySet = Map.groupBy(found.layout.responses, ({ organism, set }) => `${organism}/${set}`)
  for (const files of bySet.values()) findings.push(...promptFindings(files, found))
  return { kept, findings }
}

/** How long an answer is, and whether its last token is one that tokenizers keep for themselves: `<|im_end|>`, `</s>`, `[SEP]`. */
function endOf(file: AnswerFile, { answers }: FoundExperiment) {
  const { ids, end, lastToken } = answers.get(file.path) as AnswerFacts
  return { file, tokens: ids.length - end, special: /^<[^\s<>]+>$|^\[[A-Z_]+\]$/.test(lastToken) }
}

/** How the answers of an organism to a prompt set fit the set, where that is known. */
function promptFindings(files: readonly AnswerFile[], { promptSets, answers }: FoundExperiment): Finding[] {
  const [first] = files as [AnswerFile]
  const set = promptSets.get(first.set)
  if (!set) return []
  const missing = [...set.keys()].filter((id) => !files.some(({ prompt }) => prompt === id))
  const folder = first.path.slice(0, first.path.lastIndexOf('/'))
  const lacking: Finding = {
    rule: 'missing-prompt',
    path: folder,
    wrong: `${set.size - missing.length} of ${set.size} prompts, without ${listed(missing)}`,
    leavesOut: null,
  }
  const others = files.flatMap((file) => {
    const text = set.get(file.prompt)
    if (text === undefined) return [finding('extra-prompt', file, `the set "${file.set}" has no prompt "${file.prompt}"`)]
    const facts = answers.get(file.path)
    const prompt = facts && 'prompt' in facts ? facts.prompt : text
    return prompt.includes(text)
      ? []
      : [finding('other-prompt', file, `it answers ${JSON.stringify(cut(prompt))}, the set has ${JSON.stringify(cut(text))}`)]
  })
  return [...(missing.length > 0 ? [lacking] : []), ...others]
}

interface Recordings {
  readonly shapes: ReadonlyMap<string, RecordedShape & { readonly file: AnswerFile }>
  readonly findings: readonly Finding[]
}

/** The recordings of one side that fit their answers. Where none does, that side is not taken and the answers are. */
function recordedAnswers({ layout, answers, recordings }: FoundExperiment, side: Side, kept: readonly AnswerFile[]): Recordings {
  const known = new Map(kept.map((file) => [answerId(file), file]))
  const there = new Set(layout.responses.map(answerId))
  const shapes = new Map<string, RecordedShape & { file: AnswerFile }>()
  const findings: Finding[] = []
  const files = layout[side]
  for (const file of files) {
    const answer = known.get(answerId(file))
    if (!there.has(answerId(file)))
      findings.push({ ...finding('no-answer', file, `there is no response of ${answerId(file)}`), leavesOut: null })
    const facts = recordings.get(file.path)
    if (!answer || !facts) continue
    const shape = recordingShape(facts, answers.get(answer.path) as AnswerFacts)
    if ('rule' in shape) findings.push(finding(shape.rule, file, shape.wrong))
    else shapes.set(answerId(file), { ...shape, file })
  }
  const recorded = new Set(files.map(answerId))
  const lacking = files.length === 0 ? [] : kept.filter((file) => !recorded.has(answerId(file)))
  const missing = lacking.map((file) => ({
    ...finding('no-recording', file, `it has no recording ${whose[side]}`),
    counted: [`${file.organism}, ${whose[side]}`],
  }))
  const all = [...findings, ...missing]
  return { shapes, findings: shapes.size > 0 ? all : all.map((each) => ({ ...each, leavesOut: null })) }
}

/** The size of a state and the layers that most recordings have, and those that have others. */
function alikeShapes(recorded: Readonly<Record<Side, Recordings>>, layout: ExperimentLayout) {
  const all = (['recordings', 'replays'] as const).map((side) => [...recorded[side].shapes.values()].map((shape) => ({ ...shape, side })))
  const hidden = commonest(all.flat().map((shape) => shape.hidden))
  const usual = all
    .filter((side) => side.length > 0)
    .map(
      (side) =>
        commonest(side.map(({ layers }) => layers.join(' ')))
          ?.split(' ')
          .map(Number) ?? [],
    )
  const layers = (usual[0] ?? []).filter((layer) => usual.every((side) => side.includes(layer)))
  const findings = all.flat().flatMap(({ file, side, hidden: own, layers: has }): Finding[] => {
    if (own !== hidden) return [finding('hidden', file, `its states have ${own} values, those of the others ${hidden}`)]
    const lacks = layers.filter((layer) => !has.includes(layer))
    const wrong = `it has layers ${has.join(', ')}, the others have ${layers.join(', ')}`
    const counted = lacks.map((layer) => `${file.organism}, ${whose[side]}, without layer ${layer}`)
    return lacks.length === 0 ? [] : [{ ...finding('mixed-layers', file, wrong), counted }]
  })
  return { layers: layout.recordings.length + layout.replays.length === 0 ? [] : layers, hidden: hidden ?? null, findings }
}

/** `recorded`: the size of recorded states; where there are none, that of most vectors counts. */
function wholeVectors({ layout, vectors }: FoundExperiment, recorded: number | null) {
  const sizes = [...vectors.values()].flatMap((facts) => ('hidden' in facts ? [facts.hidden] : []))
  const hidden = recorded ?? commonest(sizes) ?? null
  const findings: Finding[] = []
  const ids = layout.vectors.map(vectorId)
  const kept = layout.vectors.filter((file) => {
    const facts = vectors.get(file.path) ?? { wrong: 'it was not read' }
    const told = (rule: ImportRule, wrong: string) => findings.push({ rule, path: file.path, wrong, leavesOut: vectorId(file) })
    const bad = [file.trait, file.method].find((name) => !isName(name))
    if (bad !== undefined) told('name', `"${bad}"`)
    else if ('wrong' in facts) told('vector', facts.wrong)
    else if (facts.hidden !== hidden) told('hidden', `it has ${facts.hidden} values, not ${hidden}`)
    else if (ids.indexOf(vectorId(file)) !== ids.lastIndexOf(vectorId(file)))
      told('vector', `two categories have a vector ${vectorId(file)}`)
    else return true
    return false
  })
  return { kept, findings, hidden }
}

function finding(rule: ImportRule, file: AnswerFile, wrong: string): Finding {
  return { rule, path: file.path, wrong, leavesOut: answerId(file) }
}

/** The value that most have; of equals, the first. */
function commonest<T>(values: readonly T[]): T | undefined {
  return [...Map.groupBy(values, (value) => value)].sort(([, a], [, b]) => b.length - a.length)[0]?.[0]
}

function listed(ids: readonly string[]): string {
  return ids.length <= 5 ? ids.join(', ') : `${ids.slice(0, 5).join(', ')} and ${ids.length - 5} more`
}

function cut(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`
}
