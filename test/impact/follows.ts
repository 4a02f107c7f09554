import type { Row } from './row.ts'

/** What waits for every answer of the audit. */
export const afterAnswers = { 'answers.capture': 36, clean: 36, scores: 72, ranking: 5, 'report.answers': 6, report: 1 }

/** What waits for every answer of alpha. */
export const afterAlpha = {
  'answers.capture/alpha/*:*': 12,
  'clean/alpha/*:*': 12,
  'scores/alpha/*/*:*': 24,
  ranking: 5,
  'report.answers/alpha/*:*': 2,
  report: 1,
}

/** What waits for the answers to one prompt. */
export const afterPrompt = (set: string, prompt: string) => ({
  [`answers.capture/*/${set}:${prompt}@*`]: 6,
  [`clean/*/${set}:${prompt}@*`]: 6,
  [`scores/*/${set}/*:${prompt}@*`]: 12,
  [`ranking/${set}:*`]: 2,
  'ranking/overview:*': 1,
  [`report.answers/*/${set}:*`]: 3,
  report: 1,
})

/** What waits for every vector. */
export const afterVectors = { scores: 72, ranking: 5, 'report.answers': 6, report: 1 }

/** What waits for the rankings. */
export const afterRankings = { 'ranking/overview:*': 1, report: 1 }

/** What waits for the sampled answers of the variants. */
export const afterSampled = {
  'sampled.capture': 2,
  through: 2,
  moved: 1,
  alike: 1,
  spoken: 2,
  lengths: 4,
  plainly: 2,
  tables: 2,
  briefly: 2,
}

/** What follows when prompt set `two` is no longer answered. */
export const withoutSet: Pick<Row, 'made' | 'follow' | 'total'> = {
  made: {
    'ranking/overview:*': [
      1,
      'order: ["one kind@2:mean_diff","one rude@2:mean_diff","two kind@…] → ["one kind@2:mean_diff","one rude@2:mean_diff"]; rankings.two kind@2:mean_diff: digest → (none); rankings.two rude@2:mean_diff: digest → (none)',
    ],
  },
  follow: { report: 1 },
  total: 123,
}

/** What follows when the trait `rude` is no longer projected; `total` depends on where it is left out. */
export const withoutTrait: Pick<Row, 'made' | 'follow'> = {
  made: {
    'ranking/overview:*': [
      1,
      'order: ["one kind@2:mean_diff","one rude@2:mean_diff","two kind@…] → ["one kind@2:mean_diff","two kind@2:mean_diff"]; rankings.one rude@2:mean_diff: digest → (none); rankings.two rude@2:mean_diff: digest → (none)',
    ],
    'report.answers': [6, 'clean: digest → digest; organism: digest → digest'],
  },
  follow: { report: 1 },
}
