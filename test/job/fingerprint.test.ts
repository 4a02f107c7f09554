import { expect, test } from 'vitest'
import { complaint, complaints, differences, type Fingerprints, observed, record, recorded } from '../fingerprint/fingerprints.ts'

/** Set by `dag accept`: what operations do now is recorded in place of being compared. */
const accepting = process.env.DAG_ACCEPT === '1'

test('no operation gives other results than its version did', async () => {
  const now = await observed()
  if (accepting) return record(accepted(recorded(), now))
  const found = complaints(recorded(), now)
  expect(found, `\n\n${found.join('\n\n')}\n`).toEqual([])
})

/** What differs by roundings only stays as it is recorded. */
function accepted(old: Fingerprints, now: Fingerprints): Fingerprints {
  return Object.fromEntries(
    Object.entries(now).map(([name, fingerprint]) => {
      const known = old[name]
      const kept = known?.version === fingerprint.version && differences(known, fingerprint).length === 0
      return [name, kept ? known : fingerprint]
    }),
  )
}

const rank = { version: 2, keys: 'k', does: 'd', made: { 'a:b': [3, 10, 1, 2, 3] } }

test.for([
  ['nothing is wrong where only roundings differ', rank, { ...rank, made: { 'a:b': [3, 10.05, 1.08, 1.95, 3] } }, null],
  [
    'another result asks for a raised version, or for a review',
    rank,
    { ...rank, made: { 'a:b': [3, 10, 1, 2, 4] } },
    `rank 2 is not what it was: what is made of 1 of 1 cells (first: a:b).
If it can give other results than before, raise its version to 3 in steps/rank/operations.ts: everything that it made is made anew.
If results are the same and somebody has reviewed that, leave the version. Either way \`npx dag accept\` then records it.`,
  ],
  [
    'a raised version is to be recorded',
    rank,
    { ...rank, version: 3 },
    'rank is at version 3, its fingerprint is of 2: `npx dag accept` records the new one',
  ],
  [
    'a version never goes back',
    rank,
    { ...rank, version: 1 },
    'rank is at version 1, and was at 2: raise it to 3 in steps/rank/operations.ts; an old number would serve what that version made',
  ],
  ['a new operation is to be recorded', undefined, rank, 'rank has no fingerprint in steps/fingerprints.json: `npx dag accept` records it'],
  [
    'an operation that is gone is to be taken out',
    rank,
    undefined,
    'rank is recorded in steps/fingerprints.json and is no operation of any step kind: `npx dag accept` takes it out',
  ],
] as const)('%s', ([, old, now, expected]) => {
  expect(complaint('rank', old, now)).toBe(expected)
})

test('an operation that reads what another makes is told after it', () => {
  const made = (first: number) => ({ 'a:b': [2, 10, first, 0, 0] })
  const of = (first: number) => ({ version: 1, keys: 'k', does: 'd', made: made(first) })
  const found = complaints({ extract: of(1), project: of(1) }, { extract: of(5), project: of(5) })
  expect(found.map((text) => text.split('\n').at(-1))).toEqual([
    'If results are the same and somebody has reviewed that, leave the version. Either way `npx dag accept` then records it.',
    'It reads what extract makes: look there first.',
  ])
})
