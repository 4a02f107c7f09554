// Prints how many milliseconds the scheduler takes for 10,000 tasks of 56 chains, the median of eleven.
import { createScheduler } from '../../engine/schedule/scheduler.ts'

const workers = [0]
const tasks = Array.from({ length: 10_000 }, (_, index) => ({
  id: `t${index}`,
  lane: 'sidecar',
  state: { base: 'm', adapter: `a${index % 56}` },
  workers,
  parents: index < 56 ? [] : [`t${index - 56}`],
}))

function once() {
  const from = performance.now()
  const scheduler = createScheduler(tasks, { sidecar: 1, engine: 1, command: 2 })
  const events = [{ type: 'start' }]
  let finished = 0
  for (let event = events.pop(); event; event = events.pop()) {
    for (const command of scheduler.next(event)) {
      if (command.type === 'settle') events.push({ type: 'settled', task: command.task, batches: 1 })
      else if (command.type === 'dispatch') events.push({ type: 'batch-done', task: command.task, worker: command.worker })
      else if (command.type === 'finish') finished++
    }
  }
  if (finished !== tasks.length) throw new Error(`${finished} of ${tasks.length} tasks were scheduled`)
  return performance.now() - from
}

const all = Array.from({ length: 11 }, once).sort((a, b) => a - b)
console.log(all[5])
