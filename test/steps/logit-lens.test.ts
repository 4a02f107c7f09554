import { expect, test } from 'vitest'
import type { Of } from '../../steps/common/vectors.ts'
import { layerMarkdown, lensMarkdown, type ListedTokens, toldOfOrganisms } from '../../steps/logit-lens/text.ts'

const listed = (
  of: Of,
  trait: string,
  toward: readonly string[],
  { layer = 2, value = 0.5, away = [' so', ' then'] } = {},
): ListedTokens => ({
  of,
  trait,
  layer,
  method: { trait: 'mean_diff', organism: 'shift', apart: 'apart', random: 'random' }[of],
  toward: toward.map((token, index) => ({ id: index, token, value: value - index / 100 })),
  away: away.map((token, index) => ({ id: index, token, value: index / 100 - value })),
})

const section = (text: string, title: string): string[] => {
  const [, body = ''] = text.split(`## ${title}\n\n`)
  return body.split('\n\n## ')[0]?.split('\n') ?? []
}

test('organisms are read by their own parts where there are some, then traits, and random directions say what is nothing', () => {
  const text = lensMarkdown(
    [
      listed('trait', 'calm', [' quiet', ' still']),
      listed('organism', 'a', [' and']),
      listed('apart', 'a', [' soon', ' later']),
      listed('random', 'random_1', ['x'], { value: 0.11 }),
      listed('random', 'random_2', ['y'], { value: 0.21 }),
    ],
    'cosine',
  )
  expect(text.split('\n')).toEqual([
    '# What directions stand for in words',
    '',
    'Each direction goes through the final norm and the unembedding of the model (logit lens): these are the tokens that it raises most, and lowers most. The figure is the highest cosine, of the direction with what raises a token above the mean of all. Of 2 random directions it is 0.21 at most.',
    '',
    '## What organisms are moved towards, apart from what all share',
    '',
    'The shift of each organism minus the mean of all, which training moves alike to some degree.',
    '',
    '| organism | cosine | raises | lowers |',
    '| --- | --- | --- | --- |',
    '| a | 0.50 | soon · later | so · then |',
    '',
    '## Traits',
    '',
    '| trait | cosine | raises | lowers |',
    '| --- | --- | --- | --- |',
    '| calm | 0.50 | quiet · still | so · then |',
    '',
    'More tokens of each direction: a file of each layer beside this one. All of them: `tokens.json`.',
    '',
  ])
})

test('organisms too few to say what they share are read by their whole shifts', () => {
  const text = lensMarkdown([listed('organism', 'a', [' soon'])], 'logit')
  expect(section(text, 'What organisms are moved towards').slice(0, 5)).toEqual([
    'The shift of each organism: the mean of organism minus clean model.',
    '',
    '| organism | z | raises | lowers |',
    '| --- | --- | --- | --- |',
    '| a | 0.50 | soon | so · then |',
  ])
})

test('a word stands once however it is written, and what is no word is written out', () => {
  const tokens = [' Future', 'future', ' future', '\n', '  ', '\u200b', '|', '<b>', '`', ' now']
  const text = lensMarkdown([listed('trait', 'calm', tokens)], 'cosine')
  expect(section(text, 'Traits')[2]).toBe('| calm | 0.50 | Future · \\\\n · ␣␣ · \\\\u200b · \\| · &lt;b> | so · then |')
})

test('a direction of several layers stands at the deepest, and in the file of each', () => {
  const lists = [listed('trait', 'calm', ['a'], { layer: 1, value: 0.6 }), listed('trait', 'calm', ['b'], { layer: 3, value: 0.4 })]
  expect(section(lensMarkdown(lists, 'cosine'), 'Traits').slice(2)).toEqual([
    '| calm | 0.40 | b | so · then |',
    '',
    'Each stands at its deepest layer. More tokens of each direction: a file of each layer beside this one. All of them: `tokens.json`.',
    '',
  ])
  expect(layerMarkdown(1, lists.slice(0, 1), 'cosine').split('\n')).toEqual([
    '# Directions at layer 1 in words',
    '',
    '| direction | cosine | raises | lowers |',
    '| --- | --- | --- | --- |',
    '| calm | 0.60 | a | so · then |',
    '',
  ])
})

test('of many organisms those come first of which it is clearest, and all of them follow', () => {
  const lists = Array.from({ length: 21 }, (_, index) => listed('apart', `o${index}`, ['a'], { value: index / 100 }))
  const text = lensMarkdown(lists, 'cosine')
  const first = section(text, 'What organisms are moved towards, apart from what all share')
  expect(first[0]).toMatch(/ Of 21, the 10 of which it is clearest\.$/)
  expect(first.slice(4).map((line) => line.split(' | ')[0])).toEqual(Array.from({ length: 10 }, (_, index) => `| o${20 - index}`))
  expect(
    section(text, 'Every organism')
      .slice(2)
      .flatMap((line) => (line.startsWith('| o') ? [line.split(' | ')[0]] : [])),
  ).toEqual(Array.from({ length: 21 }, (_, index) => `| o${index}`))
})

test('what a page is told of organisms are plain words of their own parts', () => {
  const lists = [listed('organism', 'a', [' and']), listed('apart', 'a', [' <soon>', '*']), listed('trait', 'calm', [' quiet'])]
  expect(toldOfOrganisms(lists)).toEqual({
    head: ['is moved towards', 'and away from'],
    organisms: [{ organism: 'a', texts: ['<soon> · *', 'so · then'] }],
  })
})
