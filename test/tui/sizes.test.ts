import { expect, test } from 'vitest'
import { quickstartTasks, Script, startedAt } from '../report/events.ts'
import { midRun, screenOf } from './mid-run.ts'
import { keys } from './screen.ts'

test('a small terminal shows header, grid and keys', async () => {
  const screen = screenOf(50, 12)
  await screen.show(midRun())
  expect(screen.text()).toMatchInlineSnapshot(`
    " quickstart · run 7f3a  00:00:55   ~1 m 35 s left
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
