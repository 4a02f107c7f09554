import type { Json } from '../../engine/core/json.ts'
import { amountOf, type Steered } from '../common/answer-ids.ts'
import { figure, table } from '../common/markdown.ts'
import { toldFile } from '../common/told.ts'
import { vectorNamed } from '../common/vectors.ts'
import { pretty, round } from '../common/written.ts'
import { type OfOrganisms, toldOfOrganisms } from './brought-out.ts'
import { type Effect, effectsOf, isBroken, pairsOf, type ReadAnswer } from './effects.ts'
import { layerOf, namer, who, whoHead } from './names.ts'
import { summary } from './summary.ts'

/** What is shown of a step: how far each direction takes answers, all changes of each layer, and the answers themselves. */
export function steeringFiles(answers: readonly ReadAnswer[], of: OfOrganisms): Record<string, string> {
  const pairs = pairsOf(answers)
  const effects = effectsOf(pairs)
  const layers = [...new Set(effects.map(layerOf))].sort((a, b) => a - b)
  const directions = [...new Set(effects.map(({ direction }) => direction))]
  return {
    'summary.md': summary(effects, pairs, of),
    ...toldFile(toldOfOrganisms(effects, of)),
    'effects.json': pretty(effects.map(effectJson)),
    'answers.jsonl': answers.map((answer) => `${JSON.stringify(answerJson(answer))}\n`).join(''),
    ...Object.fromEntries(layers.map((layer) => [`layer${layer}.md`, layerMarkdown(layer, effects)])),
    ...Object.fromEntries(directions.map((direction) => [`answers/${fileOf(direction)}.md`, answersMarkdown(direction, answers)])),
  }
}

function fileOf(direction: string): string {
  const { trait, layer, method } = vectorNamed(direction)
  return `${trait}@${layer}.${method}`
}

/** Everything that steering at a layer does. */
function layerMarkdown(layer: number, all: readonly Effect[]): string {
  const effects = all.filter((effect) => layerOf(effect) === layer)
  const name = namer(effects)
  const read = [...(effects[0] as Effect).changes.keys()]
  const rows = effects.map((effect) => [
    ...who(effects, effect),
    name(effect.direction),
    amountOf(effect),
    ...read.map((direction) => figure(effect.changes.get(direction)?.mean ?? null)),
    figure(effect.changes.get(effect.direction)?.cohensD ?? null),
    figure(effect.repeats),
  ])
  const head = [...whoHead(effects), 'steered along', 'by', ...read.map(name), "own Cohen's d", 'repeats']
  return [
    `# Steering behind layer ${layer}`,
    '',
    'How far answers move along each direction, on average, from those that were not steered. `repeats`: the share of their runs of three tokens that stood in them before.',
    '',
    ...table(head, rows),
    '',
  ].join('\n')
}

/** All answers that are steered along a direction, below each prompt the one that is not steered first. */
function answersMarkdown(direction: string, answers: readonly ReadAnswer[]): string {
  const shown = answers.filter(({ steered }) => steered === null || steered.direction === direction)
  const asked = Map.groupBy(shown, ({ organism, promptSet, prompt }) =>
    [...(organism === null ? [] : [organism]), promptSet, prompt].join(' / '),
  )
  return [
    `# Steered along ${direction}`,
    '',
    ...[...asked].flatMap(([title, own]) => [
      `## ${title}`,
      '',
      quoted((own[0] as ReadAnswer).text),
      '',
      ...own.flatMap(({ steered, response }) => [
        `**${steered === null ? 'Not steered' : `By ${amountOf(steered)}`}**`,
        '',
        quoted(response),
        '',
      ]),
    ]),
  ].join('\n')
}

function quoted(text: string): string {
  return text
    .trim()
    .split('\n')
    .map((line) => `> ${line}`.trimEnd())
    .join('\n')
}

function effectJson(effect: Effect): Json {
  const { organism, answers, repeats, repeatsBefore, changes } = effect
  return {
    ...(organism === null ? {} : { organism }),
    ...steeringJson(effect),
    answers,
    repeats: round(repeats),
    repeats_before: round(repeatsBefore),
    broken: isBroken(effect),
    changes: Object.fromEntries(
      [...changes].map(([along, { mean, cohensD }]) => [along, { mean: round(mean), cohens_d: cohensD === null ? null : round(cohensD) }]),
    ),
  }
}

/** An answer with what the clean model reads in it: for a judge, or a table. */
function answerJson({ organism, promptSet, prompt, text, steered, response, repeats, means }: ReadAnswer): Json {
  return {
    ...(organism === null ? {} : { organism }),
    prompt_set: promptSet,
    prompt_id: prompt,
    ...(steered === null ? {} : steeringJson(steered)),
    prompt: text,
    response,
    repeats: round(repeats),
    means: Object.fromEntries([...means].map(([direction, mean]) => [direction, round(mean)])),
  }
}

function steeringJson({ direction, amount, times }: Steered): Readonly<Record<string, Json>> {
  return { steered_along: direction, [times ? 'times' : 'by']: amount }
}
