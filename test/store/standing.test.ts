import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openStore } from '../../engine/store/store.ts'
import { recallStanding, rememberStanding } from '../../engine/store/standing.ts'
import { root } from '../support/paths.ts'

test('a run that could not remove its files from staging is not remembered: the next one has them to remove', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'dag-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const store = openStore(folder)
  const { layout } = store
  onTestFinished(() => store.close())
  const answer = { tasks: 1, cells: 2, look: ['experiments/x/summary.md'], report: {}, prompts: {} }
  const remembered = () => {
    rememberStanding(store.db, layout, 'w.yaml', 'build', [path.join(root, 'LICENSE')], answer)
    return recallStanding(store.db, 'w.yaml', 'build', 0)
  }
  const left = path.join(layout.staging, '20260101-000000-aaaa')
  mkdirSync(left)
  expect(remembered()).toBe(null)
  rmSync(left, { recursive: true })
  expect(remembered()).toEqual({ standing: answer, changed: [] })
})
