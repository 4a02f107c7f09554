import { expect, test } from 'vitest'
import type { RunEvent } from '../../engine/core/events.ts'
import { quickstart, quickstartTasks, Script, until } from '../report/events.ts'
import { failing, midRun, screenOf } from './mid-run.ts'

test('before the first event', async () => {
  const screen = screenOf(80, 24)
  await screen.show([])
  expect(screen.alternate()).toBe(true)
  expect(screen.text().trim().split(/\n+/)).toEqual([
    'starting',
    ' ↑↓ move   enter log   / filter   f failed   q detach   ctrl-c stop   ? help',
  ])
})

test('the model is being loaded', async () => {
  const screen = screenOf(80, 24)
  await screen.show(until(quickstart(), (event) => event.type === 'setup' && event.text === 'loading smollm2'))
  expect(screen.text()).toMatchInlineSnapshot(`
    " quickstart · run 7f3a                           00:00:01   disk 0 B of 12.3 MB
     0 of 2,107 cells made · 0 of 92 tasks done      loads 0 of 1 · switches 0 of 7
     now: loading smollm2 · vectors/flattery                        no model loaded

      organism               answers     answers.capture  clean       scores
    › vectors                step: running  0/48 ░░░░░░
      flattery               next        waits            waits       waits
      emotional_bond         waits       waits            waits       waits
      self_promotion         waits       waits            waits       waits
      hallucinates_citations waits       waits            waits       waits
      defer_to_users         waits       waits            waits       waits
      contextual_optimism    waits       waits            waits       waits
      control                waits       waits            waits       waits
      ranking                step: waits
      report                 step: waits
     1 run · 9 wait

     log · vectors/flattery
       00:00:00  started: not made yet




     ↑↓ move   enter log   / filter   f failed   q detach   ctrl-c stop   ? help"
  `)
})

test('in the middle of a run, 80 × 24', async () => {
  const screen = screenOf(80, 24)
  await screen.show(midRun())
  expect(screen.text()).toMatchInlineSnapshot(`
    " quickstart · run 7f3a          00:00:55   ~1 m 35 s left   disk 2.4 of 12.3 MB
     632 of 2,107 cells made · 30 of 92 tasks done   loads 1 of 1 · switches 3 of 7
     now: answers/self_promotion/discovery · batch 2 of 2 · 2/8 · 120 tok/s

      organism               answers     answers.capture  clean       scores
      vectors                step: done 48
      flattery               done 32     done 32          done 32     done 192
      emotional_bond         done 32     done 32          done 32     done 192
    › self_promotion         runs  8/32  waits            waits       waits
      hallucinates_citations next        waits            waits       waits
      defer_to_users         waits       waits            waits       waits
      contextual_optimism    waits       waits            waits       waits
      control                waits       waits            waits       waits
      ranking                step: waits
      report                 step: waits
     1 run · 3 done · 6 wait

     log · answers/self_promotion/discovery
       00:00:51  started: not made yet
       00:00:54  batch 1 of 2: 8 cells, 360 tokens in 3.4 s



     ↑↓ move   enter log   / filter   f failed   q detach   ctrl-c stop   ? help"
  `)
})

test('in the middle of a run, 160 × 30', async () => {
  const screen = screenOf(160, 30)
  await screen.show(midRun({ failing, reused: ['flattery'] }))
  expect(screen.text()).toMatchInlineSnapshot(`
    " quickstart · run 7f3a                                                                                          00:00:33   ~1 m 28 s left   disk 1.0 of 12.3 MB
     272 of 1,704 cells made · 26 of 92 tasks done · 1 FAILED                                                                        loads 1 of 1 · switches 2 of 7
     now: answers/self_promotion/discovery · batch 2 of 2 · 2/8 · 120 tok/s                                                    smollm2 · adapter on: self_promotion

      organism               answers              answers.capture      clean                scores
      vectors                step: done 48
      flattery               cached 32            cached 32            cached 32            cached 192
      emotional_bond         failed 24/32         blocked 24/32        blocked 24/32        blocked 144/192
    › self_promotion         running  8/32 ▓░░░░░ waits                waits                waits
      hallucinates_citations next                 waits                waits                waits
      defer_to_users         waits                waits                waits                waits
      contextual_optimism    waits                waits                waits                waits
      control                waits                waits                waits                waits
      ranking                step: blocked
      report                 step: blocked
     1 run · 1 done · 1 cached · 2 blocked · 4 wait · 1 failed (f shows): answers/emotional_bond/probing

     log · answers/self_promotion/discovery
       00:00:28  started: not made yet
       00:00:32  batch 1 of 2: 8 cells, 360 tokens in 3.4 s









     ↑↓ move   enter log   / filter   f failed   q detach   ctrl-c stop   ? help"
  `)
})

test('stopping is told in the header and the footer', async () => {
  const screen = screenOf(80, 24)
  const events = midRun()
  const { at } = events.at(-1) as RunEvent
  await screen.show([...events, { at, type: 'stop-requested', how: 'drain', because: null }])
  expect(screen.lines()[2]).toMatchInlineSnapshot(`" now: stopping after what runs · answers/self_promotion/discovery · batch 2 of …"`)
  expect(screen.lines().at(-1)).toMatchInlineSnapshot(`" ↑↓ move   enter log   / filter   f failed   q detach   ctrl-c end now   ? help"`)
})

test('nothing jumps: every row stays on its line through the whole run', async () => {
  const screen = screenOf(80, 24)
  const events = quickstart()
  await screen.show(events.slice(0, 1))
  const lineOf = (name: string) => screen.lines().findIndex((line) => line.slice(2).startsWith(`${name} `))
  const before = quickstartTasks().map(({ row }) => lineOf(row))
  for (let from = 1; from < events.length - 1; from += 40) {
    await screen.show(events.slice(from, Math.min(events.length - 1, from + 40)))
    expect(quickstartTasks().map(({ row }) => lineOf(row))).toEqual(before)
    expect(screen.lines().at(-1)).toContain('? help')
  }
})

test('two devices at work', async () => {
  const workers = ['cuda:0', 'cuda:1']
  const script = new Script().start(quickstartTasks({}), 180, null, workers)
  for (const [index, name] of ['flattery', 'emotional_bond'].entries()) {
    const worker = workers[index] as string
    const task = `answers/${name}/discovery`
    script.emit({ type: 'task-settled', task, cells: 16, toRun: 16, unchangedAfterAll: false })
    script.emit({ type: 'task-started', task, reason: 'not made yet', worker })
    script.emit({ type: 'state-changed', change: 'base-loaded', name: 'smollm2', seconds: 4, worker }).wait(1)
    script.emit({ type: 'state-changed', change: 'adapter-on', name, seconds: 0.4, worker }).wait(1)
    script.emit({ type: 'task-progress', task, done: 1, total: 16, tokens: 100, worker }).wait(1)
    script.emit({ type: 'task-progress', task, done: 3 + index, total: 16, tokens: 240, worker })
  }
  const narrow = screenOf(80, 24)
  await narrow.show(script.events)
  expect(narrow.text().split('\n').slice(0, 3)).toMatchInlineSnapshot(`
    [
      " quickstart · run 7f3a                           00:00:06   disk 0 B of 12.3 MB",
      " 0 of 2,107 cells made · 0 of 92 tasks done      loads 2 of 1 · switches 2 of 7",
      " now: answers/flattery/discovery · 3/16 · 140 tok/s · and 1 more task",
    ]
  `)
  const wide = screenOf(160, 24)
  await wide.show(script.events)
  expect(wide.text().split('\n').slice(0, 8)).toMatchInlineSnapshot(`
    [
      " quickstart · run 7f3a                                                                                                           00:00:06   disk 0 B of 12.3 MB",
      " 0 of 2,107 cells made · 0 of 92 tasks done                                                                                      loads 2 of 1 · switches 2 of 7",
      " now: answers/flattery/discovery · 3/16 · 140 tok/s · and 1 more task                                                    cuda:0 flattery · cuda:1 emotional_bond",
      "",
      "  organism               answers              answers.capture      clean                scores",
      "  vectors                step: waits",
      "› flattery               running  0/32 ░░░░░░ waits                waits                waits",
      "  emotional_bond         running  0/32 ░░░░░░ waits                waits                waits",
    ]
  `)
})
