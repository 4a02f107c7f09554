import { cell, figure, firstOfMany, manyOrganisms, table } from '../common/markdown.ts'
import type { ToldOfOrganisms } from '../common/told.ts'
import { namesOf, type Of, type VectorName } from '../common/vectors.ts'

/** What orders tokens, as the step's parameter has it. */
export type Measure = 'cosine' | 'logit'

/** A token of the vocabulary with how far a direction raises it, by the measure of the step. */
interface Token {
  readonly id: number
  readonly token: string
  readonly value: number
}

/** A direction with the tokens that it raises and lowers most, those furthest out first. */
export interface ListedTokens extends VectorName {
  readonly of: Of
  readonly toward: readonly Token[]
  readonly away: readonly Token[]
}

/** Words of either side that a line of the summary has, one of a layer's file, and one of a page. */
const wordsShown = { summary: [6, 4], layer: [12, 12], page: [8, 4] } as const

/** What directions stand for, for reading. A direction of several layers stands at the deepest of them. */
export function lensMarkdown(lists: readonly ListedTokens[], by: Measure): string {
  const [traits, shifts, apart, random] = (['trait', 'organism', 'apart', 'random'] as const).map((of) =>
    lists.filter((list) => list.of === of),
  ) as [ListedTokens[], ListedTokens[], ListedTokens[], ListedTokens[]]
  const several = new Set(lists.map(({ layer }) => layer)).size > 1
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
    ...section({ title: 'Traits', head: 'trait', lists: deepestOfEach(traits), by }),
    `${several ? 'Each stands at its deepest layer. ' : ''}More tokens of each direction: a file of each layer beside this one. All of them: \`tokens.json\`.`,
    '',
  ].join('\n')
}

/** Of each organism the words of its own part, or of its whole shift where too few say what they share. */
export function toldOfOrganisms(lists: readonly ListedTokens[]): ToldOfOrganisms {
  const apart = lists.filter(({ of }) => of === 'apart')
  const shown = deepestOfEach(apart.length > 0 ? apart : lists.filter(({ of }) => of === 'organism'))
  const [raised, lowered] = wordsShown.page
  return {
    head: ['is moved towards', 'and away from'],
    organisms: shown.map(({ trait, toward, away }) => ({
      organism: trait,
      texts: [words(toward, raised), words(away, lowered)].map((list) => list.join(between)),
    })),
  }
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
  const all = deepestOfEach(lists)
  if (all.length <= manyOrganisms) return section({ title, head: 'organism', sentence, lists: all, by })
  const first = all.toSorted((a, b) => clearness(b) - clearness(a)).slice(0, firstOfMany)
  const ofThem = `Of ${all.length}, the ${first.length} of which it is clearest.`
  return [
    ...section({ title, head: 'organism', sentence: `${sentence} ${ofThem}`, lists: first, by }),
    ...section({ title: 'Every organism', head: 'organism', lists: all, by }),
  ]
}

interface Section {
  readonly title: string
  readonly head: string
  readonly sentence?: string
  readonly lists: readonly ListedTokens[]
  readonly by: Measure
}

function section({ title, head, sentence, lists, by }: Section): string[] {
  if (lists.length === 0) return []
  const name = head === 'organism' ? ({ trait }: ListedTokens) => trait : namesOf(lists)
  const rows = lists.map((list) => rowOf(list, name(list), wordsShown.summary))
  return [
    `## ${title}`,
    '',
    ...(sentence === undefined ? [] : [sentence, '']),
    ...table([head, figureNamed[by], 'raises', 'lowers'], rows),
    '',
  ]
}

function rowOf(list: ListedTokens, name: string, [raised, lowered]: readonly [number, number]): string[] {
  return [name, figure(clearness(list)), inCell(words(list.toward, raised)), inCell(words(list.away, lowered))]
}

function clearness({ toward }: ListedTokens): number {
  return toward[0]?.value ?? 0
}

/** Each trait or organism once: at its deepest layer, which is nearest to the tokens, and there of the method that is clearest. */
function deepestOfEach(lists: readonly ListedTokens[]): ListedTokens[] {
  const isBefore = (one: ListedTokens, other: ListedTokens) =>
    one.layer === other.layer ? clearness(one) > clearness(other) : one.layer > other.layer
  const first = (own: readonly ListedTokens[]) => own.reduce((best, list) => (isBefore(list, best) ? list : best))
  return [...Map.groupBy(lists, ({ trait }) => trait).values()].map(first)
}

/** The first tokens that are different words: of ` Future`, `future` and ` future` the first. */
function words(tokens: readonly Token[], count: number): string[] {
  const byWord = Map.groupBy(tokens, ({ token }) => token.trim().toLowerCase() || token)
  return [...byWord.values()].slice(0, count).map(([first]) => word((first as Token).token))
}

/** A token as a word; one that shows nothing by its characters. */
function word(token: string): string {
  return /^[\p{Z}\p{C}]*$/u.test(token) ? token.replaceAll(/./gsu, character) : token.trim()
}

/** Words in a cell of a Markdown table. */
function inCell(list: readonly string[]): string {
  return list.map((one) => cell(one)).join(between)
}

const between = ' · '

function character(one: string): string {
  if (one === ' ') return '␣'
  const written = JSON.stringify(one).slice(1, -1)
  return written === one ? `\\u${(one.codePointAt(0) as number).toString(16).padStart(4, '0')}` : written
}

/** All directions of a layer. */
export function layerMarkdown(layer: number, lists: readonly ListedTokens[], by: Measure): string {
  const name = namesOf(lists)
  const rows = lists.map((list) => rowOf(list, name(list), wordsShown.layer))
  return [`# Directions at layer ${layer} in words`, '', ...table(['direction', figureNamed[by], 'raises', 'lowers'], rows), ''].join('\n')
}
