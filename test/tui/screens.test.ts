import { afterEach, expect, test } from 'vitest'
import type { RunEvent } from '../../engine/core/events.ts'
import { about, quickstart, quickstartTasks, Script, type ScriptOptions, startedAt, until } from '../report/events.ts'
import { keys, openScreen } from './screen.ts'

const failing = { task: 'answers/emotional_bond/probing', message: 'out of memory', log: null }

let open: ReturnType<typeof openScreen> | null = null
function screenOf(columns: number, rows: number) {
  open = openScreen(columns, rows)
  return open
}
afterEach(async () => {
  await open?.close()
  open = null
})

function midRun(options: ScriptOptions = {}): RunEvent[] {
  return until(quickstart(options), about('task-progress', 'answers/self_promotion/discovery', 3))
}

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
    " quickstart · run 7f3a          00:00:55   ~2 m 12 s left   disk 2.4 of 12.3 MB
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

test('a failure is counted in the header and named below the grid', async () => {
  const screen = screenOf(80, 24)
  await screen.show(midRun({ failing }))
  expect(screen.text()).toMatchInlineSnapshot(`
    " quickstart · run 7f3a          00:00:52   ~1 m 29 s left   disk 2.1 of 12.3 MB
     560 of 1,992 cells made · 26 of 92 tasks done · 1 FAILED       switches 3 of 7
     now: answers/self_promotion/discovery · batch 2 of 2 · 2/8 · 120 tok/s

      organism               answers     answers.capture  clean       scores
      vectors                step: done 48
      flattery               done 32     done 32          done 32     done 192
      emotional_bond         failed      blocked 24/32    blocked     blocked
    › self_promotion         runs  8/32  waits            waits       waits
      hallucinates_citations next        waits            waits       waits
      defer_to_users         waits       waits            waits       waits
      contextual_optimism    waits       waits            waits       waits
      control                waits       waits            waits       waits
      ranking                step: blocked
      report                 step: blocked
     1 run · 2 done · 2 blocked · 4 wait · 1 failed (f shows): answers/emotional_bo…

     log · answers/self_promotion/discovery
       00:00:47  started: not made yet
       00:00:51  batch 1 of 2: 8 cells, 360 tokens in 3.4 s



     ↑↓ move   enter log   / filter   f failed   q detach   ctrl-c stop   ? help"
  `)
})

test('rows in which something failed, with their log below', async () => {
  const screen = screenOf(80, 24)
  await screen.show(midRun({ failing }))
  await screen.press('f')
  expect(screen.text()).toMatchInlineSnapshot(`
    " quickstart · run 7f3a          00:00:52   ~1 m 29 s left   disk 2.1 of 12.3 MB
     560 of 1,992 cells made · 26 of 92 tasks done · 1 FAILED       switches 3 of 7
     now: answers/self_promotion/discovery · batch 2 of 2 · 2/8 · 120 tok/s

      organism               answers     answers.capture  clean       scores
    › emotional_bond         failed      blocked 24/32    blocked     blocked









     failed only: 1 of 10 rows · esc shows all

     log · answers/emotional_bond/probing
       00:00:38  started: not made yet
       00:00:40  Traceback (most recent call last):
       00:00:40    OutOfMemory: \\u{1b}]0;pwned\\u{7} tried to allocate 2.1 GB
       00:00:40  failed: out of memory

     enter log   / filter   f all   esc all   q detach   ctrl-c stop   ? help"
  `)
})

test('a log over the whole screen, its escape sequences written out', async () => {
  const screen = screenOf(80, 16)
  await screen.show(midRun({ failing }))
  await screen.press('f', keys.enter)
  expect(screen.text()).toMatchInlineSnapshot(`
    " quickstart · run 7f3a          00:00:52   ~1 m 29 s left   disk 2.1 of 12.3 MB
     560 of 1,992 cells made · 26 of 92 tasks done · 1 FAILED       switches 3 of 7
     now: answers/self_promotion/discovery · batch 2 of 2 · 2/8 · 120 tok/s
     log · answers/emotional_bond/probing · failed · task 5 of 12
       00:00:38  started: not made yet
       00:00:40  Traceback (most recent call last):
       00:00:40    OutOfMemory: \\u{1b}]0;pwned\\u{7} tried to allocate 2.1 GB
       00:00:40  failed: out of memory







     esc back   ↑↓ scroll   ←→ other task   q detach   ctrl-c stop   ? help"
  `)
  expect(screen.written.join('')).not.toContain('\u001b]0;pwned')
})

test('help', async () => {
  const screen = screenOf(80, 24)
  await screen.show(midRun())
  await screen.press('?')
  expect(screen.text()).toMatchInlineSnapshot(`
    " quickstart · run 7f3a          00:00:55   ~2 m 12 s left   disk 2.4 of 12.3 MB
     632 of 2,107 cells made · 30 of 92 tasks done   loads 1 of 1 · switches 3 of 7
     now: answers/self_promotion/discovery · batch 2 of 2 · 2/8 · 120 tok/s

     keys and words · any key goes back
       ↑ ↓ pgup pgdn home end  move; the mark follows the work until you do
       esc                     show all rows again; once more: follow again
       enter                   log of the marked row, ← → its other tasks
       /                       only rows with a text in their name
       f                       only rows in which something failed
       q                       leave this screen; the run goes on in plain lines
       ctrl-c                  finish what runs, then stop; again: end it now

       waits                   for its inputs, or for its turn
       next                    its turn comes when what runs is done
       done                    made in this run
       cached                  there already
       unchanged               expected to run, but its inputs came out as before
       blocked                 something it needs has failed




     any key back   q detach   ctrl-c stop"
  `)
})

test('a filter being written', async () => {
  const screen = screenOf(80, 24)
  await screen.show(midRun())
  await screen.press('/', 'O', 'n')
  const lines = screen.lines()
  expect(lines.slice(5, 9)).toMatchInlineSnapshot(`
    [
      "  emotional_bond         done 32     done 32          done 32     done 192",
      "› self_promotion         runs  8/32  waits            waits       waits",
      "  hallucinates_citations next        waits            waits       waits",
      "  contextual_optimism    waits       waits            waits       waits",
    ]
  `)
  expect(lines.at(-1)).toBe(' / On▏  enter keep   esc clear   ↑↓ move')
})

test('a small terminal shows header, grid and keys', async () => {
  const screen = screenOf(50, 12)
  await screen.show(midRun())
  expect(screen.text()).toMatchInlineSnapshot(`
    " quickstart · run 7f3a  00:00:55   ~2 m 12 s left
     632 of 2,107 cells made · 30 of 92 tasks done
     now: answers/self_promotion/discovery · batch 2 …
      organism       answers    answe…ture clean     …
      vectors        step: done 48
      flattery       done 32    done 32    done 32
      emotional_bond done 32    done 32    done 32
    › self_promotion runs  8/32 waits      waits
      halluci…ations next       waits      waits
      defer_to_users waits      waits      waits
     rows 1–6 of 10 · 1 run · 3 done · 6 wait
     enter log   q detach   ctrl-c stop   ? help"
  `)
})

test('long names are cut in the middle', async () => {
  const screen = screenOf(60, 16)
  const row = 'td_rt_kto_defend_objects_with_a_very_long_name_indeed'
  const tasks = ['generate', 'replay', 'project'].map((stage) => ({ id: `${stage}/${row}`, row, stage, cells: 275, toRun: 275 }))
  await screen.show(new Script().start(tasks).events)
  expect(screen.lines()[4]).toMatchInlineSnapshot(`"› td_rt_kto…e_indeed waits        waits        waits"`)
})

test('more stages than fit: those around the running one, and how many are hidden', async () => {
  const screen = screenOf(60, 16)
  const tasks = Array.from({ length: 9 }, (_, index) => ({
    id: `stage${index}/a`,
    row: 'organism',
    stage: `stage${index}`,
    cells: 100,
    toRun: 100,
  }))
  const script = new Script().start(tasks)
  await screen.show(script.events)
  expect(screen.lines()[3]).toMatchInlineSnapshot(`"  organism stage0          stage1          stage2          …"`)
  script.emit({ type: 'task-started', task: 'stage8/a', reason: 'not made yet' })
  await screen.show(script.events.slice(-1))
  expect(screen.lines()[3]).toMatchInlineSnapshot(`"  organism stage6          stage7          stage8          …"`)
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

test('the screen follows the size of the terminal', async () => {
  const screen = screenOf(160, 40)
  await screen.show(midRun())
  const small = await screen.resize(80, 24)
  expect(small).toHaveLength(24)
  expect(small[0]).toMatch(/^ quickstart · run 7f3a .* disk 2\.\d of 12\.3 MB$/)
  expect(small.at(-1)).toContain('? help')
  const large = await screen.resize(120, 35)
  expect(large[5]).toContain('vectors')
  expect(large.at(-1)).toContain('? help')
})

test('prompts with wide letters do not break the lines', async () => {
  const screen = screenOf(60, 16)
  const script = new Script().start(quickstartTasks())
  script.emit({ type: 'log', task: 'vectors/flattery', text: '漢字'.repeat(40) })
  await screen.show([...script.events, { at: startedAt, type: 'log', task: 'vectors/flattery', text: 'after' }])
  await screen.press(keys.enter)
  expect(screen.lines().slice(3, 9)).toMatchInlineSnapshot(`
    [
      " log · vectors/flattery · waits · task 1 of 6",
      "   00:00:00  漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢",
      "             字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字",
      "             漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢",
      "             字漢字漢字漢字漢字漢字",
      "   00:00:00  after",
    ]
  `)
})
