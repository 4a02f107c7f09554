import { mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Look } from '../../engine/core/file-stamp.ts'
import { openSourceFiles } from '../../engine/sources/files/files.ts'
import { recallStanding, rememberStanding } from '../../engine/store/standing.ts'
import { openStore, type Store } from '../../engine/store/store.ts'

const answer = { tasks: 1, cells: 2, look: ['experiments/x/summary.md'], report: {}, prompts: {} }

function storeInFolder() {
  const folder = mkdtempSync(path.join(tmpdir(), 'dag-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const store = openStore(folder)
  onTestFinished(() => store.close())
  const remembered = async (seen: ReadonlyMap<string, Look>) => {
    await rememberStanding(store.db, store.layout, 'w.yaml', 'build', seen, answer)
    return recallStanding(store.db, 'w.yaml', 'build', 8)
  }
  return { folder, store, layout: store.layout, remembered }
}

test('a run that could not remove its files from staging is not remembered: the next one has them to remove', async () => {
  const { layout, remembered } = storeInFolder()
  const left = path.join(layout.staging, '20260101-000000-aaaa')
  mkdirSync(left)
  expect(await remembered(new Map())).toBe(null)
  rmSync(left, { recursive: true })
  expect(await remembered(new Map())).toEqual({ standing: answer, changed: [] })
})

/** Files of these contents that have stood for long enough to be told from later ones by their stamps. */
async function settledFiles(folder: string, contents: Readonly<Record<string, string>>): Promise<string[]> {
  const files = Object.entries(contents).map(([name, content]) => {
    writeFileSync(path.join(folder, name), content)
    return path.join(folder, name)
  })
  await vi.waitFor(() => expect(Date.now() - Math.max(...files.map((file) => statSync(file).ctimeMs))).toBeGreaterThan(60))
  return files
}

const reader = () => openSourceFiles({ recall: () => undefined, remember: () => {} })

test('what somebody edits between its reading and the end of the run is not what the answer stands on', async () => {
  const { folder, remembered } = storeInFolder()
  const [edited] = (await settledFiles(folder, { 'edited.json': '{}' })) as [string]
  const added = path.join(folder, 'added.json')
  const files = reader()
  expect([files.json(edited), files.exists(added)]).toEqual([{ ok: true, value: {} }, false])
  expect(await remembered(files.seen)).toEqual({ standing: answer, changed: [] })
  for (const file of [edited, added]) writeFileSync(file, '{ }')
  expect(await remembered(files.seen)).toEqual({ standing: answer, changed: [edited, added] })
})

test('a text that was touched or written again as it was has not changed, nor has a folder with the same names', async () => {
  const { folder, remembered } = storeInFolder()
  const prompts = path.join(folder, 'prompts')
  mkdirSync(prompts)
  const [one, two, other] = (await settledFiles(prompts, { 'one.json': '{}', 'two.json': '[]', 'other.bin': '\0' })) as [
    string,
    string,
    string,
  ]
  const files = reader()
  files.json(one)
  files.text(two)
  files.exists(other)
  files.list(prompts)
  utimesSync(one, 1, 1)
  rmSync(two)
  writeFileSync(two, '[]')
  expect((await remembered(files.seen))?.changed).toEqual([])
  utimesSync(other, 1, 1) // whose content nobody read
  writeFileSync(path.join(prompts, 'three.json'), '{}')
  expect((await remembered(files.seen))?.changed).toEqual([other, prompts])
})

test('a text that two readings of one plan found otherwise is not remembered', async () => {
  const { folder, remembered } = storeInFolder()
  const [file] = (await settledFiles(folder, { 'prompts.json': '{}' })) as [string]
  const files = reader()
  files.json(file)
  writeFileSync(file, '{ }')
  files.json(file)
  writeFileSync(file, '{}')
  expect(await remembered(files.seen)).toBe(null)
})

/** Shows a file as a run does that has just ended. */
function justShown(store: Store, content: string): string {
  const file = path.join(store.layout.root, 'shown.md')
  writeFileSync(file, content)
  const { size, mtimeNs, ctimeNs, ino } = statSync(file, { bigint: true })
  const insert = store.db.prepare("INSERT INTO views (path, digest, size, mtime, ctime, inode) VALUES ('shown.md', '', ?, ?, ?, ?)")
  insert.run(Number(size), String(mtimeNs), String(ctimeNs), String(ino))
  return file
}

test('what the run itself has just written is waited for, and a later change of it shows', async () => {
  const { remembered, store } = storeInFolder()
  const shown = justShown(store, 'as made')
  expect(await remembered(new Map())).toEqual({ standing: answer, changed: [] })
  writeFileSync(shown, 'changed')
  expect(recallStanding(store.db, 'w.yaml', 'build', 8)?.changed).toEqual([shown])
})

test('what somebody changes as soon as the run has written it is not what the answer stands on', async () => {
  const { remembered, store } = storeInFolder()
  writeFileSync(justShown(store, 'as made'), 'and edited')
  expect(await remembered(new Map())).toBe(null)
})

test('a run that read a file which had only just changed is not remembered: a further change might not show', async () => {
  const { folder, remembered } = storeInFolder()
  const file = path.join(folder, 'prompts.json')
  writeFileSync(file, '{}')
  const files = reader()
  files.json(file)
  expect(await remembered(files.seen)).toBe(null)
})
