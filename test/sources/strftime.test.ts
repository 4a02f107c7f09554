import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { isDay, strftime } from '../../engine/sources/chat/strftime.ts'
import { python } from '../support/paths.ts'

const days = ['2026-01-31', '2024-02-29', '2024-12-31', '1999-07-04', '2001-09-09']
const formats = ['%d %b %Y', '%A, %d %B %Y', '%a %y-%m-%d', '%Y-%m-%d %H:%M:%S', '%I %p', 'day %j: 100%%', 'no date']

test('a day is written as Python writes it', () => {
  const asked = `
import datetime, json, sys
days, formats = json.loads(sys.argv[1])
print(json.dumps([[datetime.datetime.fromisoformat(day).strftime(format) for format in formats] for day in days]))`
  const wanted = JSON.parse(execFileSync(python, ['-c', asked, JSON.stringify([days, formats])], { encoding: 'utf8' })) as string[][]
  expect(days.map((day) => formats.map((format) => strftime(day, format)))).toEqual(wanted)
})

test('without a day, and for what is not known, there is an error', () => {
  expect(() => strftime(null, '%Y')).toThrow('a date is asked for, and none is named')
  expect(() => strftime('2026-01-31', '%d %Z')).toThrow('the date is asked for as %Z, which is not known here')
})

test('a day is one that there is', () => {
  expect(['2024-02-29', '2026-02-29', '2026-13-01', '2026-00-10', 'today'].map(isDay)).toEqual([true, false, false, false, false])
})
