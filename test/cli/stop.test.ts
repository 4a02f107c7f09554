import { expect, test } from 'vitest'
import { createStop } from '../../engine/cli/common/stop.ts'

function stopper() {
  const heard: string[] = []
  const stop = createStop(() => heard.push('end'))
  stop.onRequest((how, because) => heard.push(because === null ? how : `${how}: ${because}`))
  return { stop, heard }
}

test('the first request lets what runs finish, the second ends it, the third ends the process', () => {
  const { stop, heard } = stopper()
  for (let time = 0; time < 3; time++) stop.request()
  expect(heard).toEqual(['drain', 'now', 'end'])
})

test('a reason to stop counts once, and a request after it ends what runs', () => {
  const { stop, heard } = stopper()
  stop.drain('the disk is full')
  stop.drain('the terminal is gone')
  stop.request()
  expect(heard).toEqual(['drain: the disk is full', 'now: the disk is full'])
})

test('a listener that comes late hears of the request that was made', () => {
  const { stop } = stopper()
  stop.request()
  const heard: string[] = []
  const forget = stop.onRequest((how) => heard.push(how))
  forget()
  stop.request()
  expect(heard).toEqual(['drain'])
})
