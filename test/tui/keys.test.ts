import { afterEach, expect, test } from 'vitest'
import type { RunEvent } from '../../engine/core/events.ts'
import { about, quickstart, quickstartTasks, Script, until } from '../report/events.ts'
import { failing } from './mid-run.ts'
import { keys, openScreen } from './screen.ts'

const midRun = until(quickstart({ failing }), about('task-progress', 'answers/self_promotion/discovery', 3))

let screen: ReturnType<typeof openScreen>
async function open(events: readonly RunEvent[] = midRun, columns = 80, rows = 24): Promise<void> {
  screen = openScreen(columns, rows)
  await screen.show(events)
}
afterEach(() => screen.close())

const marked = () =>
  screen
    .lines()
    .find((line) => line.startsWith('›'))
    ?.split(' ')[1]
const shownRows = () =>
  screen
    .lines()
    .filter((line) => /^[› ] [a-z_]+ +(step:|done|runs|next|waits|failed)/.test(line))
    .map((line) => line.slice(2).split(' ')[0])

test('the mark follows the row that runs', async () => {
  await open()
  expect(marked()).toBe('self_promotion')
  const events = quickstart({ failing })
  const later = until(events, about('task-started', 'answers/control/benign'))
  await screen.show(later.slice(midRun.length))
  expect(marked()).toBe('control')
})

test('the mark stays where it was moved to, and follows again after esc', async () => {
  await open()
  await screen.press(keys.down)
  expect(marked()).toBe('hallucinates_citations')
  expect(screen.lines().at(-1)).toContain('esc follow')
  await screen.show(until(quickstart({ failing }), about('task-started', 'answers/control/benign')).slice(midRun.length))
  expect(marked()).toBe('hallucinates_citations')
  await screen.press(keys.escape)
  expect(marked()).toBe('control')
})

test('home, end and the page keys move', async () => {
  await open()
  const after: (string | undefined)[] = []
  for (const key of [keys.home, keys.up, keys.end, keys.down, keys.pageUp, keys.pageDown, keys.up]) {
    await screen.press(key)
    after.push(marked())
  }
  expect(after).toEqual(['vectors', 'vectors', 'report', 'report', 'vectors', 'report', 'ranking'])
})

test('/ filters rows, enter keeps the filter, esc takes it away', async () => {
  await open()
  await screen.press('/', 'T', 'I')
  expect(shownRows()).toEqual(['emotional_bond', 'self_promotion', 'hallucinates_citations', 'contextual_optimism'])
  await screen.press(keys.backspace, 'r', 'o')
  expect(shownRows()).toEqual(['control'])
  await screen.press(keys.enter)
  expect(screen.text()).toContain('filter "Tro": 1 of 10 rows · esc shows all')
  await screen.press(keys.escape)
  expect(shownRows()).toHaveLength(10)
})

test('letters that are keys elsewhere are text in a filter', async () => {
  await open()
  await screen.press('/', 'q', '?', 'f', '/')
  expect(screen.lines().at(-1)).toContain('/ q?f/')
  expect(screen.detached.seen).toBeNull()
  await screen.press(keys.escape)
  expect(shownRows()).toHaveLength(10)
})

test('arrows move while a filter is written', async () => {
  await open()
  await screen.press('/', 'o', 'n', keys.down)
  expect(marked()).toBe('hallucinates_citations')
})

test('f shows the failed rows and all again', async () => {
  await open()
  await screen.press('f')
  expect(shownRows()).toEqual(['emotional_bond'])
  expect(marked()).toBe('emotional_bond')
  await screen.press('f')
  expect(shownRows()).toHaveLength(10)
})

test('f with no failure says so', async () => {
  await open(until(quickstart(), about('task-started', 'answers/flattery/benign')))
  await screen.press('f')
  expect(shownRows()).toEqual([])
  expect(screen.text()).toContain('failed only: 0 of 10 rows · esc shows all')
  await screen.press(keys.enter)
  expect(screen.text()).toContain('failed only')
})

test('enter opens the log of the marked row, arrows its other tasks, esc goes back', async () => {
  await open()
  await screen.press(keys.up, keys.enter)
  expect(screen.lines()[4]).toContain('log · answers/emotional_bond/probing · failed · task 5 of 12')
  await screen.press(keys.right)
  expect(screen.lines()[4]).toContain('log · answers.capture/emotional_bond/probing · blocked · task 6 of 12')
  await screen.press(keys.left, keys.left, keys.left, keys.left, keys.left, keys.left)
  expect(screen.lines()[4]).toContain('log · answers/emotional_bond/discovery · done · task 1 of 12')
  await screen.press(keys.escape)
  expect(marked()).toBe('emotional_bond')
})

test('a long log follows its end until it is scrolled', async () => {
  const script = new Script().start(quickstartTasks())
  for (let line = 1; line <= 60; line++) script.emit({ type: 'log', task: 'vectors/flattery', text: `line ${line}` })
  await open(script.events)
  const shown = () => [screen.lines()[4]?.match(/lines .*/)?.[0], screen.lines()[5]?.trim().slice(10), screen.lines()[22]?.trim().slice(10)]
  await screen.press(keys.enter)
  expect(shown()).toEqual(['lines 43–60 of 60', 'line 43', 'line 60'])
  await screen.press(keys.up)
  expect(shown()).toEqual(['lines 42–59 of 60', 'line 42', 'line 59'])
  script.emit({ type: 'log', task: 'vectors/flattery', text: 'line 61' })
  await screen.show(script.events.slice(-1))
  expect(shown()).toEqual(['lines 42–59 of 61', 'line 42', 'line 59'])
  await screen.press(keys.home)
  expect(shown()[1]).toBe('line 1')
  await screen.press(keys.pageDown)
  expect(shown()[1]).toBe('line 19')
  await screen.press(keys.end)
  script.emit({ type: 'log', task: 'vectors/flattery', text: 'line 62' })
  await screen.show(script.events.slice(-1))
  expect(shown()[2]).toBe('line 62')
})

test('? shows the keys, any key goes back to where it was pressed', async () => {
  await open()
  await screen.press(keys.enter, '?')
  expect(screen.lines()[4]).toContain('keys and words')
  await screen.press('x')
  expect(screen.lines()[4]).toContain('log · answers/self_promotion/discovery')
})

test('ctrl-c asks to stop, once more to end', async () => {
  await open()
  await screen.press(keys.ctrlC)
  expect(screen.stops).toEqual(['drain'])
  await screen.show([{ at: (midRun.at(-1) as RunEvent).at, type: 'stop-requested', how: 'drain', because: null }])
  expect(screen.lines().at(-1)).toContain('ctrl-c end now')
  await screen.press(keys.ctrlC)
  expect(screen.stops).toEqual(['drain', 'now'])
})

test('ctrl-c works while a filter is written and in the help', async () => {
  await open()
  await screen.press('/', 'o', keys.ctrlC, keys.escape, '?', keys.ctrlC)
  expect(screen.stops).toHaveLength(2)
})

test('q leaves the screen; what follows goes to the sink that takes over', async () => {
  await open()
  await screen.press('q')
  expect(screen.alternate()).toBe(false)
  expect(screen.cursorHidden()).toBe(false)
  expect(screen.detached.seen?.activities).toHaveLength(1)
  const next = quickstart({ failing })[midRun.length] as RunEvent
  screen.event(next)
  expect(screen.detached.events).toEqual([next])
})

test('a mistake in drawing ends the screen, not the run', async () => {
  await open()
  screen.breakClock()
  await screen.press(keys.down)
  expect(screen.alternate()).toBe(false)
  const next = quickstart({ failing })[midRun.length] as RunEvent
  screen.event(next)
  expect(screen.detached.events).toEqual([next])
})

test('closing leaves the alternate screen and shows the cursor', async () => {
  await open()
  expect(screen.alternate()).toBe(true)
  expect(screen.cursorHidden()).toBe(true)
  await screen.close()
  expect(screen.alternate()).toBe(false)
  expect(screen.cursorHidden()).toBe(false)
  await screen.close()
})

test('keys without a meaning change nothing', async () => {
  await open()
  const before = screen.text()
  await screen.press('x', 'z', '\t', '\u0001', '\u001b[15~', keys.left)
  expect(screen.text()).toBe(before)
})
