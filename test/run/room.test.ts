import { expect, test } from 'vitest'
import { isDiskFull, roomWatch } from '../../engine/run/room.ts'
import { SidecarError } from '../../engine/run/executors/sidecar-errors.ts'

const watch = (bytes: number, inodes: number | null) => roomWatch('/store', 1e9, () => ({ bytes, inodes }))

test('there is room while what is to come and what is kept free fit', () => {
  expect(watch(3e9, 1000).short(2e9)).toBeNull()
  expect(watch(3e9 - 1, 1000).short(2e9)).toBe(
    'the disk of /store has 3.0 GB free; the next batches may take 2.0 GB and 1.0 GB are kept free (--keep-free): free some room, then run again',
  )
})

test('a disk that has room for bytes but not for files is full too', () => {
  expect(watch(1e12, 255).short(1)).toBe(
    'the disk of /store has room for 255 more files, and 256 are kept free: free some room, then run again',
  )
  expect(watch(1e12, 256).short(1)).toBeNull()
  expect(watch(1e12, null).short(1)).toBeNull()
})

test('an error on a disk with less room than is kept free is blamed on it, and no other', () => {
  const error = new Error('"cp" ended with exit code 1\nmore')
  expect(watch(1e9, 1000).blames(error)).toBeNull()
  const told = (free: string) => `the disk of /store is full (${free} free): "cp" ended with exit code 1; free some room, then run again`
  expect(watch(0.5e9, 1000).blames(error)).toBe(told('500 MB'))
  expect(watch(2e9, 3).blames(error)).toBe(told('2.0 GB'))
  expect(roomWatch('/store', 0, () => ({ bytes: 4096, inodes: null })).blames(error)).toBe(told('4.1 kB'))
})

test('a full disk is known from the system, from SQLite and from the sidecar', () => {
  const errors = [
    Object.assign(new Error('no space'), { code: 'ENOSPC' }),
    Object.assign(new Error('over quota'), { code: 'EDQUOT' }),
    Object.assign(new Error('database or disk is full'), { code: 'ERR_SQLITE_ERROR', errcode: 13 }),
    new SidecarError('[Errno 28] No space left on device', 'disk-full', null),
  ]
  expect(errors.map(isDiskFull)).toEqual([true, true, true, true])
  const others = [Object.assign(new Error('i/o error'), { code: 'EIO' }), new SidecarError('NaN', 'internal', null)]
  expect(others.map(isDiskFull)).toEqual([false, false])
})
