import { hostname } from 'node:os'
import { expect, test } from 'vitest'
import { isLiving, ownerText, thisProcess } from '../../engine/store/files/lock-owner.ts'

const owner = thisProcess('run 1 of a.yaml', '1', Date.UTC(2026, 0, 2, 3, 0, 11))

test('this process lives', () => {
  expect(isLiving(owner)).toBe(true)
})

test('a number that was given to another process, and a machine that was started anew, are a dead owner', () => {
  expect(isLiving({ ...owner, started: '1' })).toBe(false)
  expect(isLiving({ ...owner, boot: 'another' })).toBe(false)
})

test('an owner of another host counts as living', () => {
  expect(isLiving({ ...owner, host: `not-${hostname()}`, boot: 'another', started: '1' })).toBe(true)
})

test('who holds the store is told with process, time and command; control characters are written out', () => {
  const text = ownerText({ ...owner, pid: 12, command: 'dag run a\u001b[2J.yaml' })
  expect(text).toBe('run 1 of a.yaml: process 12, since 2026-01-02 03:00:11 UTC, started as "dag run a\\u001b[2J.yaml"')
  expect(ownerText({ ...owner, pid: 12, host: 'far', command: 'dag gc' })).toBe(
    'run 1 of a.yaml: process 12 on far, since 2026-01-02 03:00:11 UTC, started as "dag gc"',
  )
})
