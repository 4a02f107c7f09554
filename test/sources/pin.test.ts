import { expect, test } from 'vitest'
import { withCommits } from '../../engine/pin.ts'
import { parseYaml } from '../../engine/spec/document.ts'

const commit = '0123456789012345678901234567890123456e78'

/** The text with the commit where the path says that a revision, or the repository without one, stands. */
function pinned(text: string, path: readonly string[]): string | null {
  const replaces = path.at(-1) === 'revision'
  return withCommits(text, [{ range: parseYaml('list.yaml', text).rangeOf(path, 'value'), replaces, commit }])
}

test.for([
  ['in braces', 'a: { adapter: hf:me/a, plants: b }\n', `a: { adapter: hf:me/a, revision: "${commit}", plants: b }\n`],
  ['at the end of braces', 'a: {adapter: "hf:me/a"}', `a: {adapter: "hf:me/a", revision: "${commit}"}`],
  ['in a block', 'a:\n  adapter: hf:me/a\n  plants: b\n', `a:\n  adapter: hf:me/a\n  revision: "${commit}"\n  plants: b\n`],
  ['in a block, before a comment', 'a:\n  adapter: hf:me/a # mine\n', `a:\n  adapter: hf:me/a # mine\n  revision: "${commit}"\n`],
  [
    'in JSON',
    '{\n  "a": {\n    "adapter": "hf:me/a"\n  }\n}\n',
    `{\n  "a": {\n    "adapter": "hf:me/a", "revision": "${commit}"\n  }\n}\n`,
  ],
  ['in JSON, before more', '{"a": {"adapter": "hf:me/a", "b": 1}}', `{"a": {"adapter": "hf:me/a", "revision": "${commit}", "b": 1}}`],
] as const)('a commit is written behind a repository %s', ([, text, expected]) => {
  expect(pinned(text, ['a', 'adapter'])).toBe(expected)
})

test('a commit takes the place of a branch, and digits that could be a number are text', () => {
  const text = 'a: { adapter: hf:me/a, revision: main } # of today\n'
  const edited = pinned(text, ['a', 'revision']) as string
  expect(edited).toBe(`a: { adapter: hf:me/a, revision: "${commit}" } # of today\n`)
  expect(parseYaml('list.yaml', edited).data).toEqual({ a: { adapter: 'hf:me/a', revision: commit } })
})

test('several on one line all find their places', () => {
  const text = '{ a: { adapter: hf:me/a }, b: { adapter: hf:me/b } }\n'
  const document = parseYaml('list.yaml', text)
  const pins = ['a', 'b'].map((name) => ({ range: document.rangeOf([name, 'adapter'], 'value'), replaces: false, commit }))
  expect(withCommits(text, pins)).toBe(
    `{ a: { adapter: hf:me/a, revision: "${commit}" }, b: { adapter: hf:me/b, revision: "${commit}" } }\n`,
  )
})

test('where braces go on over lines nothing is edited', () => {
  expect(pinned('a: { adapter: hf:me/a\n  }\n', ['a', 'adapter'])).toBe(null)
})
