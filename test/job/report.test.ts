import { readdirSync, rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Browser, browserProgram, noBrowser, type Page, startBrowser } from '../support/browser.ts'
import { run } from '../support/dag.ts'
import { type AnswerRecord, answersOf } from '../support/stored.ts'
import { finishedWorkspace, type Workspace } from '../support/workspace.ts'

const folder = 'experiments/audit/reports/report'
const wide = { width: 1280, height: 900 }

interface Ranked {
  readonly organism: string
  readonly prompt_id: string
  readonly prompt: string
  readonly response_mean: number
  readonly tokens: readonly string[]
  readonly scores: readonly number[]
}

function ranked(workspace: Workspace, trait: string, set: string): Ranked[] {
  const category = readdirSync(workspace.at('experiments/audit/analysis/top_activating'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .find((name) => readdirSync(workspace.at(`experiments/audit/analysis/top_activating/${name}`)).includes(trait))
  const file = `experiments/audit/analysis/top_activating/${category}/${trait}/${set}/across_organisms.json`
  return (JSON.parse(workspace.read(file)) as { top: Ranked[] }).top
}

/** A workspace whose results are shown under its own path. */
async function shown(): Promise<Workspace> {
  const workspace = finishedWorkspace()
  await run(workspace)
  return workspace
}

const text = (selector: string) => `[...document.querySelectorAll(${JSON.stringify(selector)})].map((node) => node.textContent)`
const shownAnswer = (answer: string) => `document.querySelector('#detail h2')?.textContent === ${JSON.stringify(answer)}`

describe.skipIf(!browserProgram)(`the page of a report in a browser${browserProgram ? '' : ` (skipped: ${noBrowser})`}`, () => {
  let browser: Browser
  const open = (workspace: Workspace, hash: string) => browser.open(workspace.at(`${folder}/report.html`), wide, { hash })
  const opened = async (workspace: Workspace, hash = ''): Promise<Page> => {
    const page = await open(workspace, hash)
    await page.until('document.querySelector("#detail").dataset.shown')
    return page
  }

  beforeAll(async () => {
    browser = await startBrowser()
  })

  afterAll(() => browser?.close())

  test('it is one small file with a part for each organism and prompt set and the values of each trait beside it', async () => {
    const workspace = await shown()
    expect(readdirSync(workspace.at(folder)).toSorted()).toEqual(['data', 'report.html'])
    const answers = ['alpha', 'beta', 'gamma'].flatMap((organism) => ['one', 'two'].map((set) => `answers~${organism}~${set}.js`))
    expect(readdirSync(workspace.at(`${folder}/data`)).toSorted()).toEqual([...answers, 'values~0.js', 'values~1.js'])
  })

  test('opened as a file it shows all answers in the order of the ranking, and the first of them with its tokens and scores', async () => {
    const workspace = await shown()
    const page = await opened(workspace, '#trait=kind&set=one')
    const list = ranked(workspace, 'kind', 'one')
    const [first] = list as [Ranked]
    expect(await page.evaluate(text('#controls output'))).toEqual(['12 answers'])
    expect(await page.evaluate(text('#list .row b'))).toHaveLength(12)
    expect(((await page.evaluate(text('#list .row b'))) as string[]).slice(0, 3)).toEqual(list.map(({ organism }) => organism))
    expect(((await page.evaluate(text('#list .row .value'))) as string[]).slice(0, 3)).toEqual(
      list.map(({ response_mean }) => response_mean.toFixed(2)),
    )
    expect(await page.evaluate(text('#detail h2'))).toEqual([`${first.organism} one / ${first.prompt_id}`])
    expect(await page.evaluate(text('#detail .prompt'))).toEqual([first.prompt])
    expect(await page.evaluate(text('#detail .answer span'))).toEqual(first.tokens)
    const titles = `[...document.querySelectorAll('#detail .answer span')].map(({ title }) => Number(title))`
    const scores = (await page.evaluate(titles)) as number[]
    expect(scores.map((score, index) => Math.abs(score - (first.scores[index] as number)) < 0.011)).toEqual(first.scores.map(() => true))
    expect(page.complaints).toEqual([])
  })

  test('a cell of the matrix leads to the answers behind it, and a search to those whose prompt has the words', async () => {
    const page = await opened(await shown())
    await page.evaluate(`document.querySelector('.heat button[data-at="1 1"]').click()`)
    await page.until(`document.querySelector('#list').dataset.shown === '1'`)
    expect(await page.evaluate(text('#controls output'))).toEqual(['6 answers'])
    expect(new Set((await page.evaluate(text('#list .row b'))) as string[])).toEqual(new Set(['beta']))
    await page.evaluate(`document.querySelector('#controls input').focus()`)
    await page.type('RAIN what')
    await page.until(`document.querySelector('#controls output').textContent === '1 answer'`)
    expect(await page.evaluate(text('#list .row .of'))).toEqual(['one / one_1 · What is rain?'])
    expect(page.complaints).toEqual([])
  })

  test('keys go through the list, and the address comes back to the same answer', async () => {
    const workspace = await shown()
    const page = await opened(workspace, '#trait=kind&set=one')
    const second = ranked(workspace, 'kind', 'one')[1] as Ranked
    const answer = `${second.organism} one / ${second.prompt_id}`
    await page.evaluate(`document.querySelector('#list').focus()`)
    await page.press('ArrowDown')
    await page.until(shownAnswer(answer))
    const hash = await page.evaluate<string>('location.hash')
    const again = await opened(workspace, hash)
    expect(await again.evaluate(text('#detail h2'))).toEqual([answer])
    await again.evaluate(`document.querySelector('#list').focus()`)
    await again.press('End')
    await again.until(`document.querySelector('#list .row[aria-selected="true"] .number')?.textContent === '12'`)
    expect(again.complaints).toEqual([])
  })

  test('the matrix shows the means or how clear they are, and the address keeps which', async () => {
    const workspace = await shown()
    const page = await opened(workspace)
    const matrix = JSON.parse(workspace.read('experiments/audit/analysis/top_activating/matrix.json')) as {
      rows: { values: number[]; cohensD: (number | null)[] }[]
    }
    const seen = `[...document.querySelectorAll('.heat td button')].map((node) => node.innerText)`
    const texts = (numbers: (number | null)[]) => numbers.map((number) => number?.toFixed(2) ?? '–')
    expect(await page.evaluate(seen)).toEqual(texts(matrix.rows.flatMap(({ values }) => values)))
    await page.evaluate(`document.querySelector('#effects').click()`)
    expect(await page.evaluate(seen)).toEqual(texts(matrix.rows.flatMap(({ cohensD }) => cohensD)))
    const again = await opened(workspace, await page.evaluate<string>('location.hash'))
    expect(await again.evaluate(seen)).toEqual(texts(matrix.rows.flatMap(({ cohensD }) => cohensD)))
    expect(again.complaints).toEqual([])
  })

  test('the matrix is that of the prompt set that is chosen', async () => {
    const workspace = await shown()
    const page = await opened(workspace, '#trait=kind&matrix=effects')
    const matrix = JSON.parse(workspace.read('experiments/audit/analysis/top_activating/matrix.json')) as {
      rows: { cohensD: (number | null)[] }[]
      bySet: { promptSet: string; rows: { cohensD: (number | null)[] }[] }[]
    }
    const seen = `[...document.querySelectorAll('.heat td button')].map((node) => node.innerText)`
    const choose = (value: number) =>
      `{ const select = document.querySelector('[data-key="set"]'); select.value = ${value}; select.onchange() }`
    const texts = (rows: { cohensD: (number | null)[] }[]) => rows.flatMap(({ cohensD }) => cohensD.map((d) => d?.toFixed(2) ?? '–'))
    expect(matrix.bySet.map(({ promptSet }) => promptSet)).toEqual(['one', 'two'])
    for (const [index, { promptSet, rows }] of matrix.bySet.entries()) {
      await page.evaluate(choose(index))
      expect(await page.evaluate(seen)).toEqual(texts(rows))
      expect(await page.evaluate(text('#chooser legend'))).toEqual([`In the matrix, of ${promptSet}`])
    }
    await page.evaluate(`document.querySelector('.heat button[data-at="1 1"]').click()`)
    await page.until(`document.querySelector('#list').dataset.shown === '1'`)
    expect(await page.evaluate('location.hash')).toMatch(/^#trait=rude&organism=beta&set=two&matrix=effects/)
    await page.evaluate(choose(-1))
    expect(await page.evaluate(seen)).toEqual(texts(matrix.rows))
    expect(await page.evaluate(text('#chooser legend'))).toEqual(['In the matrix'])
    expect(page.complaints).toEqual([])
  })

  test('a click on a trait orders the organisms by the number that is shown, another one as the workflow has them', async () => {
    const workspace = await shown()
    const page = await opened(workspace, '#trait=kind')
    const matrix = JSON.parse(workspace.read('experiments/audit/analysis/top_activating/matrix.json')) as {
      rows: { organism: string; values: number[]; cohensD: number[] }[]
    }
    const organisms = text('.heat tbody th')
    const highest = (of: 'values' | 'cohensD') =>
      matrix.rows.toSorted((a, b) => (b[of][1] as number) - (a[of][1] as number)).map(({ organism }) => organism)
    const click = `document.querySelectorAll('.heat thead button')[1].click()`
    expect(await page.evaluate(organisms)).toEqual(matrix.rows.map(({ organism }) => organism))
    await page.evaluate(click)
    expect(await page.evaluate(organisms)).toEqual(highest('values'))
    expect(await page.evaluate(`document.querySelectorAll('.heat thead th')[1].ariaSort`)).toBe('descending')
    await page.evaluate(`document.querySelector('#effects').click()`)
    expect(await page.evaluate(organisms)).toEqual(highest('cohensD'))
    const again = await opened(workspace, await page.evaluate<string>('location.hash'))
    expect(await again.evaluate(organisms)).toEqual(highest('cohensD'))
    // Keys go to the neighbour that is seen there.
    await again.evaluate(`document.querySelector('.heat tbody button').focus()`)
    await again.press('ArrowDown')
    expect(await again.evaluate(`document.activeElement.closest('tr').querySelector('th').innerText`)).toBe(highest('cohensD')[1])
    await page.evaluate(click)
    expect(await page.evaluate(organisms)).toEqual(matrix.rows.map(({ organism }) => organism))
    expect([...page.complaints, ...again.complaints]).toEqual([])
  })

  test('what an answer was made to begin with stands before its tokens, without a colour', async () => {
    const workspace = finishedWorkspace()
    workspace.edit('prompts/one.json', '"id": "one_1"', '"prefill": "Rain <is>", "id": "one_1"')
    await run(workspace)
    const page = await opened(workspace, '#trait=kind&answer=alpha~one~one_1')
    expect(await page.evaluate(text('#detail h2'))).toEqual(['alpha one / one_1'])
    expect(await page.evaluate(text('#detail .answer .prefill'))).toEqual(['Rain <is>'])
    const begun = answersOf(workspace, 'answers/alpha/one').find(({ prefill }) => prefill === 'Rain <is>') as AnswerRecord
    expect(await page.evaluate(text('#detail .answer span:not(.prefill)'))).toEqual(begun.tokens.slice(begun.prompt_end))
    const other = await opened(workspace, '#trait=kind&answer=alpha~one~one_2')
    expect(await other.evaluate(text('#detail .answer .prefill'))).toEqual([])
  })

  test('a part that was not copied with the page is named', async () => {
    const workspace = await shown()
    rmSync(workspace.at(`${folder}/data/answers~beta~two.js`))
    const page = await open(workspace, '#trait=kind&organism=beta&set=two')
    await page.until(`document.querySelector('#detail').textContent !== ''`)
    expect(await page.evaluate(text('#detail'))).toEqual([
      'data/answers~beta~two.js is not beside this page: copy the folder as a whole, or run the workflow again',
    ])
  })
})
