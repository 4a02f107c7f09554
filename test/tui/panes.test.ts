import { expect, test } from 'vitest'
import { keys } from './screen.ts'
import { failing, midRun, screenOf } from './mid-run.ts'

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
    " quickstart · run 7f3a          00:00:55   ~1 m 35 s left   disk 2.4 of 12.3 MB
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
