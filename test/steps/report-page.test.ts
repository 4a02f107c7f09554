import { expect, test } from 'vitest'
import { escapeHtml } from '../../steps/report/html.ts'
import { emptyMatrix } from '../support/matrix.ts'
import { reportPage } from '../../steps/report/page.ts'

test('the report offers the numbers that its matrix has', () => {
  const offered = (numbers: object, mode = 'diff') => {
    const rows = [{ organism: 'alpha', values: [1], modifiedZ: [null], ...numbers }]
    const matrix = { ...emptyMatrix, mode, columns: ['kind'], rows }
    const page = reportPage({ title: 'one', matrix, sets: [], limits: [1] })
    return [...page.matchAll(/<input type="radio" name="number" id="(\w+)"( checked)?>/g)].map(([, id, checked]) => id + (checked ?? ''))
  }
  expect(offered({ cohensD: [2], modifiedZ: [3] })).toEqual(['means checked', 'effects', 'among'])
  expect(offered({ cohensD: [2] })).toEqual(['means checked', 'effects'])
  expect(offered({ modifiedZ: [3] }, 'raw')).toEqual(['means checked', 'among'])
  expect(offered({}, 'raw')).toEqual([])
})

test('the report marks what an organism is said to plant', () => {
  const rows = ['alpha', 'beta'].map((organism) => ({ organism, values: [1, 2], modifiedZ: [null, null] }))
  const matrix = { ...emptyMatrix, columns: ['calm', 'kind'], rows, plants: { beta: ['kind'] } }
  const page = reportPage({ title: 'one', matrix, sets: [], limits: [1, 1] })
  expect([...page.matchAll(/<button data-at="(\d \d)"[^>]* title="planted"/g)].map(([, at]) => at)).toEqual(['1 1'])
})

test('text of prompts and answers cannot become markup of the report', () => {
  const hostile = '</script><script>alert(1)</script>'
  const page = reportPage({
    title: hostile,
    matrix: { ...emptyMatrix, columns: ['kind'], rows: [{ organism: 'alpha', values: [1], modifiedZ: [null] }] },
    sets: [{ name: 'one', prompts: [['one_1', hostile]] }],
    limits: [1],
  })
  expect(page).not.toContain('<script>alert')
  expect(page).toContain(escapeHtml(hostile))
  expect(page).not.toMatch(/(src|href)=/)
})

test('what other steps find of its organisms stands on the page, in their order', () => {
  const rows = ['alpha', 'beta'].map((organism) => ({ organism, values: [1], modifiedZ: [null] }))
  const matrix = { ...emptyMatrix, columns: ['kind'], rows }
  const data = { title: 'one', matrix, sets: [], limits: [1] }
  const told = [
    { head: ['nearest'], organisms: [{ organism: 'beta', texts: ['kind 0.25'] }] },
    {
      head: ['towards', 'away'],
      organisms: [
        { organism: 'beta', texts: ['<b>soon', 'so'] },
        { organism: 'alpha', texts: ['now', 'then'] },
        { organism: 'another', texts: ['x', 'y'] },
      ],
    },
  ]
  const table = /<details id="told" open>.*?<\/details>/s.exec(reportPage(data, told))?.[0] ?? ''
  const cells = table
    .split('<tr>')
    .slice(1)
    .map((row) => [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/g)].map(([, text]) => text))
  expect(cells).toEqual([
    ['', 'nearest', 'towards', 'away'],
    ['alpha', '–', 'now', 'then'],
    ['beta', 'kind&nbsp;0.25', '&lt;b&gt;soon', 'so'],
  ])
  expect(reportPage(data)).not.toContain('id="told"')
  const many = { ...data, matrix: { ...matrix, rows: Array.from({ length: 13 }, () => rows[0] as (typeof rows)[0]) } }
  expect(reportPage(many, told)).toContain('<details id="told"><summary>')
})
