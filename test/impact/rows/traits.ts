import { contrastSet } from '../../support/workspace.ts'
import { json } from '../edits.ts'
import { afterRankings } from '../follows.ts'
import { all, file, move, type Row, workflow, write } from '../row.ts'

interface ContrastSet {
  readonly pairs: readonly { readonly id: string }[]
}

export const traitRows: readonly Row[] = [
  {
    of: 'contrast sets',
    edit: 'one added',
    change: write('traits/secret.json', contrastSet('secret', 'Do not tell anyone, but', 'The answer is this:')),
    made: { 'vectors/secret:*': [4, 'new'] },
    follow: { 'scores/*/*/*:*:secret:*': 36, 'ranking/*:secret@*': 2, 'ranking/overview:*': 1, 'report.answers': 6, report: 1 },
    total: 224,
  },
  {
    of: 'contrast sets',
    edit: 'one renamed',
    change: move('traits/rude.json', 'traits/unkind.json'),
    made: { 'ranking/*:unkind@*': [2, 'new'], 'report.answers': [6, 'clean: digest → digest; organism: digest → digest'] },
    follow: afterRankings,
  },
  {
    of: 'a contrast pair',
    edit: 'one word',
    change: file('traits/rude.json', 'rain is common', 'hail is common'),
    made: { 'vectors/rude:*': [4, 'pairs: digest → digest'] },
    follow: { 'scores/*/*/*:*:rude:*': 36, 'ranking/*:rude@*': 2, 'ranking/overview:*': 1, 'report.answers': 6, report: 1 },
  },
  {
    of: 'contrast pairs',
    edit: 'the last one removed',
    change: json<ContrastSet>('traits/rude.json', (set) => ({ ...set, pairs: set.pairs.slice(0, 5) })),
    made: { 'vectors/rude:*': [4, 'pairs: digest → digest'] },
    follow: { 'scores/*/*/*:*:rude:*': 36, 'ranking/*:rude@*': 2, 'ranking/overview:*': 1, 'report.answers': 6, report: 1 },
  },
  {
    of: 'contrast pairs',
    edit: 'reordered, which holds out others',
    change: json<ContrastSet>('traits/rude.json', (set) => ({ ...set, pairs: set.pairs.toReversed() })),
    made: { 'vectors/rude:*': [4, 'pairs: digest → digest'] },
    follow: { 'scores/*/*/*:*:rude:*': 36, 'ranking/*:rude@*': 2, 'ranking/overview:*': 1, 'report.answers': 6, report: 1 },
  },
  {
    of: 'a reference that vectors are made with',
    edit: 'one word',
    workflow: 'variants',
    change: file('traits/rude.json', 'rain is common', 'hail is common'),
    made: { directions: [1, 'reference: digest → digest'] },
    follow: { lengths: 4, plainly: 2, tables: 2, briefly: 2, alike: 1, spoken: 2 },
  },
  {
    of: 'a scenario',
    edit: 'one word',
    workflow: 'elicited',
    change: file('scenarios/moods/calm/positive.txt', 'At noon the sea', 'At noon the lake'),
    made: {
      'moods.answers/calm/positive:positive_1': [
        1,
        'prompt: "At noon the sea was still and she felt" → "At noon the lake was still and she felt"',
      ],
    },
    follow: { moods: 1 },
  },
  {
    of: 'scenarios',
    edit: 'one added at the end',
    workflow: 'elicited',
    change: file('scenarios/moods/calm/negative.txt', '\n\n', '\nThe last alarm rang, and she felt\n'),
    made: { 'moods.answers/calm/negative:negative_5': [1, 'new'] },
    follow: { moods: 1 },
    total: 11,
  },
  {
    of: 'scenarios',
    edit: 'one put before the others',
    workflow: 'elicited',
    change: file('scenarios/moods/calm/negative.txt', 'At noon', 'The first alarm rang, and she felt\nAt noon'),
    made: {
      'moods.answers/calm/negative:negative_1': [
        1,
        'prompt: "At noon the sirens screamed and she felt" → "The first alarm rang, and she felt"',
      ],
    },
    follow: { moods: 1 },
    total: 11,
  },
  {
    of: 'scenarios',
    edit: 'the last one removed',
    workflow: 'elicited',
    change: file('scenarios/moods/calm/positive.txt', '\nAt dusk the sea was still and she felt', ''),
    made: { moods: [1, 'positive: digest → digest'] },
    total: 9,
  },
  {
    of: 'scenarios',
    edit: 'the same in positive.jsonl',
    workflow: 'elicited',
    change: (workspace) => {
      const lines = workspace.read('scenarios/moods/calm/positive.txt').trimEnd().split('\n')
      workspace.write('scenarios/moods/calm/positive.jsonl', lines.map((prompt) => `${JSON.stringify({ prompt })}\n`).join(''))
    },
  },
  {
    of: 'category of scenarios',
    edit: '`moods` → `tone`',
    workflow: 'elicited',
    change: all(move('scenarios/moods', 'scenarios/tone'), workflow('moods/calm', 'tone/calm')),
  },
  { of: 'category of a contrast set', edit: '`behaviour` → `tone`', change: file('traits/rude.json', '"behaviour"', '"tone"') },
]
