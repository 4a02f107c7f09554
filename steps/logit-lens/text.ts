import { cell, figure, table } from '../common/markdown.ts'
import { namesOf, type VectorName } from '../common/vectors.ts'

/** What orders tokens, as the step's parameter has it. */
export type Measure = 'cosine' | 'logit'

/** A token of the vocabulary with how far a direction raises it, by the measure of the step. */
interface Token {
  readonly id: number
  readonly token: string
  readonly value: number
}

/** What a direction is of: `apart` is an organism's own part. */
export type Of = 'trait' | 'organism' | 'apart' | 'random'

/** A direction with the tokens that it raises and lowers most, those furthest out first. */
export interface ListedTokens extends VectorName {
  readonly of: Of
  readonly toward: readonly Token[]
  readonly away: readonly Token[]
}

/** Words of either side that a line of the summary has, and one of a layer's file. */
const wordsShown = { summary: [6, 4], layer: [12, 12] } as const
/** Of more organisms than these only so many come first. */
const organismsListed = 20
const organismsOfLong = 10

/** What directions stand for, for reading. A direction of several layers stands at the one where it is clearest. */
export function lensMarkdown(lists: readonly ListedTokens[], by: Measure): string {
  const [traits, shifts, apart, random] = (['trait', 'organism', 'apart', 'random'] as const).map((of) =>
    lists.filter((list) => list.of === of),
  ) as [ListedTokens[], ListedTokens[], ListedTokens[], ListedTokens[]]
  const sentences = [
    `Each direction goes through the final norm and the unembedding of the model (logit lens): these are the tokens that it raises most, and lowers most. ${inWords[by]}`,
    ...randomInWords(random),
  ]
  return [
    '# What directions stand for in words',
    '',
    sentences.join(' '),
    '',
    ...(apart.length > 0 ? organismSections(apart, ownPart, by) : organismSections(shifts, wholeShift, by)),
    ...section({ title: 'Traits', head: 'trait', lists: traits, by }),
    'More tokens of each direction: a file of each layer beside this one. All of them: `tokens.json`.',
    '',
  ].join('\n')
}

const inWords: Readonly<Record<Measure, string>> = {
  cosine: 'The figure is the highest cosine, of the direction with what raises a token above the mean of all.',
  logit: 'The figure is how far the highest logit lies from the mean of all, in their standard deviations (z).',
}
const figureNamed: Readonly<Record<Measure, string>> = { cosine: 'cosine', logit: 'z' }

const ownPart = {
  title: 'What organisms are moved towards, apart from what all share',
  sentence: 'The shift of each organism minus the mean of all, which training moves alike to some degree.',
}
const wholeShift = {
  title: 'What organisms are moved towards',
  sentence: 'The shift of each organism: the mean of organism minus clean model.',
}

function randomInWords(random: readonly ListedTokens[]): string[] {
  if (random.length === 0) return []
  const z = figure(Math.max(...random.map(clearness)))
  return [random.length > 1 ? `Of ${random.length} random directions it is ${z} at most.` : `Of a random direction it is ${z}.`]
}

function organismSections(lists: readonly ListedTokens[], { title, sentence }: typeof ownPart, by: Measure): string[] {
  const clearest = clearestOfEach(lists)
  if (clearest.length <= organismsListed) return section({ title, head: 'organism', sentence, lists, by })
  const first = clearest.toSorted((a, b) => clearness(b) - clearness(a)).slice(0, organismsOfLong)
  return [
    ...section({
      title,
      head: 'organism',
      sentence: `${sentence} Of ${clearest.length}, the ${first.length} of which it is clearest.`,
      lists,
      first,
      by,
    }),
    ...section({ title: 'Every organism', head: 'organism', lists, by }),
  ]
}

interface Section {
  readonly title: string
  readonly head: string
  readonly sentence?: string
  readonly lists: readonly ListedTokens[]
  /** Those that are shown, where these are not all. */
  readonly first?: readonly ListedTokens[]
  readonly by: Measure
}

function section({ title, head, sentence, lists, first = clearestOfEach(lists), by }: Section): string[] {
  if (lists.length === 0) return []
  const name = head === 'organism' ? organismsIn(lists) : namesOf(lists)
  const rows = first.map((list) => rowOf(list, name(list), wordsShown.summary))
  return [
    `## ${title}`,
    '',
    ...(sentence === undefined ? [] : [sentence, '']),
    ...table([head, figureNamed[by], 'raises', 'lowers'], rows),
    '',
  ]
}

/** Of an organism there is one direction a layer. */
function organismsIn(lists: readonly ListedTokens[]): (list: ListedTokens) => string {
  const layers = new Set(lists.map(({ layer }) => layer))
  return ({ trait, layer }) => (layers.size > 1 ? `${trait}@${layer}` : trait)
}

function rowOf(list: ListedTokens, name: string, [raised, lowered]: readonly [number, number]): string[] {
  return [name, figure(clearness(list)), words(list.toward, raised), words(list.away, lowered)]
}

function clearness({ toward }: ListedTokens): number {
  return toward[0]?.value ?? 0
}

/** Each trait or organism once, at the layer and of the method where it is clearest. */
function clearestOfEach(lists: readonly ListedTokens[]): ListedTokens[] {
  const clearest = (own: readonly ListedTokens[]) => own.reduce((best, list) => (clearness(list) > clearness(best) ? list : best))
  return [...Map.groupBy(lists, ({ trait }) => trait).values()].map(clearest)
}

/** The first tokens that are different words: of ` Future`, `future` and ` future` the first. */
function words(tokens: readonly Token[], count: number): string {
  const byWord = Map.groupBy(tokens, ({ token }) => token.trim().toLowerCase() || token)
  return [...byWord.values()]
    .slice(0, count)
    .map(([first]) => shown((first as Token).token))
    .join(' · ')
}

/** A token as a word, or its characters where it is none. */
function shown(token: string): string {
  const word = token.trim()
  return word === '' ? JSON.stringify(token).slice(1, -1).replaceAll(' ', '␣') : cell(word).replaceAll('*', '\\*').replaceAll('`', '\\`')
}

/** All directions of a layer. */
export function layerMarkdown(layer: number, lists: readonly ListedTokens[], by: Measure): string {
  const name = namesOf(lists)
  const rows = lists.map((list) => rowOf(list, name(list), wordsShown.layer))
  return [`# Directions at layer ${layer} in words`, '', ...table(['direction', figureNamed[by], 'raises', 'lowers'], rows), ''].join('\n')
}
