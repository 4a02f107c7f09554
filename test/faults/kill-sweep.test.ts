import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { violations } from './invariants.ts'
import { lacking } from './needs.ts'
import { changingCalls, inject, listCalls } from './strace.ts'
import { chainFolder, makeChain, nextRun, undisturbed } from './workload.ts'

const lack = lacking('kill at every call', { programs: ['strace'] })

async function callsOfOneRun() {
  const folder = mkdtempSync(path.join(tmpdir(), 'dag-'))
  try {
    makeChain(folder)
    return await listCalls(folder, changingCalls)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const reference = lack ? null : await undisturbed()
const calls = lack ? [] : await callsOfOneRun()

describe.skipIf(lack)('kill -9 of the engine at each call that changes its workspace', () => {
  test('the sweep looks at 200 calls or more', () => {
    expect(calls.length).toBeGreaterThanOrEqual(200)
  })

  test('the mark of a folder of results is on disk before anything else is in it', () => {
    const folder = 'experiments/chain'
    const first = calls.filter(({ name, file }) => ['openat', 'fsync'].includes(name) && file.startsWith(folder)).slice(0, 4)
    expect(first.map(({ name, file }) => `${name} ${file}`)).toEqual([
      `openat ${folder}/.made-by-dag`,
      `fsync ${folder}/.made-by-dag`,
      `fsync ${folder}`,
      expect.stringContaining(`openat ${folder}/`),
    ])
  })

  test.for(calls.map(({ name, when, file }) => [`${name} ${when}`, file.replace(/[0-9a-f]{64}/, 'DIGEST'), name, when] as const))(
    '%s, %s',
    async ([, , name, when]) => {
      if (!reference) throw new Error('there is nothing to compare with')
      const folder = chainFolder()
      const killed = await inject(folder, { name, when, what: 'signal=KILL' })
      expect(killed.signal).toBe('SIGKILL')
      expect(violations(folder, reference, killed.events)).toEqual([])
      expect(await nextRun(folder, reference)).toEqual([])
    },
  )
})
