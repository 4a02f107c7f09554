import { formatNumberOf } from '../../engine/core/format.ts'
import { amountOf } from '../common/answer-ids.ts'
import { cell, figure, table } from '../common/markdown.ts'
import { vectorId, vectorNamed } from '../common/vectors.ts'
import { broughtOutMarkdown, type OfOrganisms } from './brought-out.ts'
import { changeAlong, type Effect, isBroken, type Pair } from './effects.ts'
import { isRandom, layerOf, namer, steeringOf, who, whoHead } from './names.ts'
import { randomLimits } from './random-limits.ts'

/** What steering brings out, for reading. */
export function summary(effects: readonly Effect[], pairs: readonly Pair[], of: OfOrganisms): string {
  const [first] = effects
  const random = new Set(effects.filter(isRandom).map(({ direction }) => direction)).size
  const sentences = [
    'So much is added to the residual stream along a direction, at every token of a prompt and of its answer; then the clean model reads the answers without it.',
    `Figures are how far the answers to ${formatNumberOf(first?.answers ?? 0, 'prompt')} move along the direction itself, on average, from those that were not steered.`,
    ...(effects.some(isBroken)
      ? ['In brackets they repeat themselves, in over a fifth more of their runs of three tokens, and say little of a trait.']
      : []),
    ...(random > 0
      ? [
          `**Bold** is further than ${random === 1 ? 'the random direction takes' : `any of ${random} random directions takes`} answers along it, by as much.`,
        ]
      : []),
  ]
  const name = namer(effects)
  const clearest = clearestOf(effects)
  const layers = [...Map.groupBy(effects, layerOf)].sort(([a], [b]) => a - b)
  return [
    '# What steering along directions brings out',
    '',
    sentences.join(' '),
    '',
    ...clearestLayers(effects, clearest),
    ...layers.flatMap(([layer, own]) => [...(layers.length > 1 ? [`## Behind layer ${layer}`, ''] : []), ...amountsTable(own, name), '']),
    ...broughtOutMarkdown(effects, of),
    '## In their words',
    '',
    'Of each direction the answer that moves furthest along it, of those that do not repeat themselves.',
    '',
    ...wordsTable(effects, clearest, pairs, name),
    '',
    'What each direction does to the others: a file of each layer beside this one. All answers: `answers/`, and with what was read in each `answers.jsonl`. All figures: `effects.json`.',
    '',
  ].join('\n')
}

/** Of each trait the way of steering along it that moves answers most clearly where it is to, of those that do not break them. */
function clearestOf(effects: readonly Effect[]): Effect[] {
  const whole = effects.filter((effect) => !isRandom(effect) && !isBroken(effect))
  const ofTrait = Map.groupBy(whole, ({ organism, direction }) => {
    const { trait, method } = vectorNamed(direction)
    return JSON.stringify([organism, trait, method])
  })
  const clearness = (effect: Effect) => Math.sign(effect.amount) * (effect.changes.get(effect.direction)?.cohensD ?? 0)
  return [...ofTrait.values()].map((own) => own.reduce((best, one) => (clearness(one) > clearness(best) ? one : best)))
}

/** Where directions are of several layers: at which their traits are brought out. */
function clearestLayers(effects: readonly Effect[], clearest: readonly Effect[]): string[] {
  if (new Set(effects.map(layerOf)).size === 1) return []
  const rows = clearest.map((effect) => {
    const change = effect.changes.get(effect.direction)
    return [
      ...who(effects, effect),
      vectorId(vectorNamed(effect.direction)),
      amountOf(effect),
      figure(change?.mean ?? null),
      figure(change?.cohensD ?? null),
    ]
  })
  return [
    '## At which layer',
    '',
    "Of each trait the layer and the amount that move answers most clearly the way they are steered, by Cohen's d.",
    '',
    ...table([...whoHead(effects), 'steered along', 'by', 'mean', "Cohen's d"], rows),
    '',
  ]
}

/** A line for each direction, a column for each amount. */
function amountsTable(effects: readonly Effect[], name: (direction: string) => string): string[] {
  const amounts = [...new Set(effects.map(({ amount }) => amount))].sort((a, b) => a - b)
  const times = effects.some((effect) => effect.times)
  const limit = randomLimits(effects)
  const own = effects.filter((effect) => !isRandom(effect))
  const rows = [...Map.groupBy(own.length > 0 ? own : effects, steeringOf).values()].map((ofOne) => {
    const [first] = ofOne as [Effect]
    const figures = amounts.map((amount) => {
      const effect = ofOne.find((one) => one.amount === amount)
      return effect ? changeText(effect, limit(effect)) : '–'
    })
    return [...who(effects, first), name(first.direction), ...figures]
  })
  return table([...whoHead(effects), 'steered along', ...amounts.map((amount) => `by ${amountOf({ amount, times })}`)], rows)
}

function changeText(effect: Effect, limit: number | null): string {
  const change = ownChange(effect)
  if (isBroken(effect)) return `(${figure(change)})`
  return limit !== null && change * Math.sign(effect.amount) > limit ? `**${figure(change)}**` : figure(change)
}

function ownChange({ changes, direction }: Effect): number {
  return changes.get(direction)?.mean ?? 0
}

/** Along the clearest directions the answer that is taken furthest, or where all go against it, furthest the other way. */
function wordsTable(
  effects: readonly Effect[],
  clearest: readonly Effect[],
  pairs: readonly Pair[],
  name: (direction: string) => string,
): string[] {
  const sign = effects.some(({ amount }) => amount > 0) ? 1 : -1
  const directions = new Set(clearest.map(steeringOf))
  const soMuch = (effect: Pick<Effect, 'organism' | 'direction' | 'amount'>) => JSON.stringify([steeringOf(effect), effect.amount])
  const told = effects.filter((effect) => directions.has(steeringOf(effect)) && effect.amount * sign > 0 && !isBroken(effect))
  const shown = new Set(told.map(soMuch))
  const whole = pairs.filter(
    ({ after, before }) => shown.has(soMuch({ ...after, ...after.steered })) && !isBroken({ ...after, repeatsBefore: before.repeats }),
  )
  const moved = (pair: Pair) => sign * changeAlong(pair, pair.after.steered.direction)
  const furthest = [...Map.groupBy(whole, ({ after }) => steeringOf({ ...after, ...after.steered })).values()].map((own) =>
    own.reduce((best, pair) => (moved(pair) > moved(best) ? pair : best)),
  )
  const rows = furthest.map(({ after, before }) => [
    ...who(effects, after),
    name(after.steered.direction),
    amountOf(after.steered),
    after.prompt,
    ...whereTheyPart(before.response, after.response).map((text) => cell(text, wordsShown)),
  ])
  return table([...whoHead(effects), 'steered along', 'by', 'prompt', 'not steered', 'steered'], rows)
}

/** Characters of an answer that a line has. */
const wordsShown = 70

/** Two answers from the first word in which they differ, where more than a few are alike. */
function whereTheyPart(one: string, other: string): string[] {
  let alike = 0
  while (alike < one.length && one[alike] === other[alike]) alike++
  const word = one.lastIndexOf(' ', alike)
  return word < 20 ? [one, other] : [one, other].map((text) => `…${text.slice(word)}`)
}
