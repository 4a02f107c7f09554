import { afterRankings } from '../follows.ts'
import { all, type Row, workflow } from '../row.ts'

const rank = (now: string) => workflow('of: scores, top: 3', `of: scores, ${now}`)
const steps = (text: string) => workflow('steps:\n', `steps:\n${text}\n`)
const both = (reason: string) => ({ 'ranking/one:*': [2, reason], 'ranking/two:*': [2, reason] }) as const

export const rankRows: readonly Row[] = [
  {
    of: 'rank.of',
    edit: 'the scores of another step',
    change: all(
      steps('  probed: { kind: project, of: [answers, clean], onto: vectors, layers: [2], methods: [probe] }'),
      workflow('of: scores', 'of: probed'),
    ),
    made: { probed: [72, 'new'] },
    follow: { ranking: 5, 'report.answers': 6, report: 1 },
    total: 254,
  },
  {
    of: 'rank.mode',
    edit: '`diff` → `raw`',
    change: rank('top: 3, mode: raw'),
    made: {
      ...both('clean.alpha: digest → (none); clean.beta: digest → (none); clean.gamma: digest → (none); mode: "diff" → "raw"'),
      'report.answers': [6, 'clean: digest → (none)'],
    },
    follow: afterRankings,
  },
  {
    of: 'rank.by',
    edit: '`response_mean` → `max_token`',
    change: rank('top: 3, by: max_token'),
    made: both('by: "response_mean" → "max_token"'),
    follow: afterRankings,
  },
  { of: 'rank.top', edit: '3 → 2', change: rank('top: 2'), made: both('top: 3 → 2'), follow: afterRankings },
  { of: 'rank.folder', edit: '`top_activating` → `most`', change: rank('top: 3, folder: most') },
]

export const reportRows: readonly Row[] = [
  {
    of: 'report.of',
    edit: 'another ranking',
    change: all(steps('  second: { kind: rank, of: scores, top: 2, folder: second }'), workflow('of: ranking', 'of: second')),
    made: { 'second/one:*': [2, 'new'], 'second/two:*': [2, 'new'] },
    follow: { 'second/overview:*': 1, report: 1 },
    total: 187,
  },
  {
    of: 'report.with',
    edit: 'none → a comparison',
    change: all(steps('  alike: { kind: compare, of: vectors }'), workflow('of: ranking', 'of: ranking, with: alike')),
    made: { alike: [1, 'new'] },
    follow: { report: 1 },
    total: 183,
  },
  {
    of: 'report.title',
    edit: 'none → `Night`',
    change: workflow('of: ranking', 'of: ranking, title: Night'),
    made: { report: [1, 'title: "report" → "Night"'] },
  },
]

const variants = { workflow: 'variants' } as const

export const exportRows: readonly Row[] = [
  {
    ...variants,
    of: 'export.of',
    edit: 'the scores of another step',
    change: workflow('of: plainly', 'of: lengths'),
    made: { tables: [2, 'clean: (none) → digest; organism: digest → digest'] },
  },
  { ...variants, of: 'export.tokens', edit: '`true` → `false`', change: workflow(', tokens: true', ''), total: 41 },
  {
    of: 'export.tokens',
    edit: 'tables of tokens too, in a step of their own',
    change: steps('  tables: { kind: export, of: scores, tokens: true }'),
    made: { tables: [12, 'new'] },
    total: 194,
  },
]
