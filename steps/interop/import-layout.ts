import { isObject, type Json } from '../../engine/core/json.ts'
import { clean } from './names.ts'

/** An answer by organism, prompt set (which may be a path) and prompt, and a file of it. */
export interface AnswerFile {
  readonly organism: string
  readonly set: string
  readonly prompt: string
  readonly path: string
}

export interface VectorFile {
  readonly trait: string
  readonly layer: number
  readonly method: string
  /** What the pattern of all vectors names: `{variant}/vectors/{position}`. */
  readonly place: string
  readonly path: string
}

/** The files of an experiment of trait-interp that can be taken, by what they are. */
export interface ExperimentLayout {
  readonly organisms: readonly string[]
  readonly responses: readonly AnswerFile[]
  /** Recorded with the organism on. */
  readonly recordings: readonly AnswerFile[]
  /** What the clean model read of an organism's answers. */
  readonly replays: readonly AnswerFile[]
  readonly vectors: readonly VectorFile[]
}

const response = /^inference\/(?<variant>[^/]+)\/responses\/(?<set>.+)\/(?<prompt>[^/]+)\.json$/
const recording = /^inference\/(?<variant>[^/]+)\/raw\/residual\/(?<set>.+)\/(?<prompt>[^/]+)\.pt$/
const vector = /^extraction\/[^/]+\/(?<trait>[^/]+)\/(?<place>[^/]+\/vectors\/[^/]+)\/residual\/(?<method>[^/]+)\/layer(?<layer>\d+)\.pt$/

/** Sorts the paths within an experiment's folder by what they are; `config` is its `config.json`. */
export function experimentLayout(paths: readonly string[], config: Json | null): ExperimentLayout {
  const organisms = organismsOf(paths, config)
  const files = (pattern: RegExp) => paths.flatMap((path) => answerFile(pattern, path))
  const recordings = files(recording)
  return {
    organisms,
    responses: files(response).filter(({ organism }) => organisms.includes(organism)),
    recordings: recordings.filter(({ organism }) => organisms.includes(organism)),
    replays: recordings.flatMap((file) => replayOf(file, organisms)),
    vectors: vectorsOf(paths, config),
  }
}

function answerFile(pattern: RegExp, path: string): AnswerFile[] {
  const { variant, set, prompt } = pattern.exec(path)?.groups ?? {}
  return variant === undefined || set === undefined || prompt === undefined ? [] : [{ organism: variant, set, prompt, path }]
}

/** A file of the clean model's variant whose set is named `{set}_replay_{organism}`. */
function replayOf(file: AnswerFile, organisms: readonly string[]): AnswerFile[] {
  if (file.organism !== clean) return []
  const organism = organisms.filter((name) => file.set.endsWith(`_replay_${name}`)).sort((a, b) => b.length - a.length)[0]
  return organism === undefined ? [] : [{ ...file, organism, set: file.set.slice(0, -`_replay_${organism}`.length) }]
}

/** All model variants but the defaults and those that stand for no organism. */
function organismsOf(paths: readonly string[], config: Json | null): string[] {
  const { defaults, model_variants: variants } = isObject(config) ? config : {}
  const others = ['base', clean, 'rm_lora', ...(isObject(defaults) ? Object.values(defaults) : [])]
  const there = paths.flatMap((path) => /^inference\/([^/]+)\//.exec(path)?.[1] ?? [])
  const names = isObject(variants) ? Object.keys(variants) : [...new Set(there)]
  return names.filter((name) => !others.includes(name))
}

/** Those of one variant and one position: that of the configuration and the first five tokens where they are there. */
function vectorsOf(paths: readonly string[], config: Json | null): VectorFile[] {
  const found = paths.flatMap((path): VectorFile[] => {
    const { trait, place, method, layer } = vector.exec(path)?.groups ?? {}
    return trait === undefined || place === undefined || method === undefined ? [] : [{ trait, place, method, layer: Number(layer), path }]
  })
  const defaults = isObject(config) && isObject(config.defaults) ? config.defaults : {}
  const places = Map.groupBy(found, ({ place }) => place)
  const fits = (place: string) => Number(place.startsWith(`${defaults.extraction as string}/`)) * 2 + Number(place.endsWith('/response__5'))
  const chosen = [...places].sort(([a, of], [b, others]) => fits(b) - fits(a) || others.length - of.length)[0]
  return chosen?.[1] ?? []
}
