import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { placeObjects, replaceDurably, stageBytes } from '../../engine/store/files/durable.ts'
import { makeFolders, objectPath, storeLayout } from '../../engine/store/files/layout.ts'

test('an object that is made again takes the place of a damaged one of the same length', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'dag-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const layout = storeLayout(root)
  makeFolders(layout)
  const staged = stageBytes(layout.staging, 'answers.jsonl', Buffer.from('right'))
  const object = objectPath(layout, staged.digest)
  mkdirSync(path.dirname(object))
  writeFileSync(object, 'wrong')
  placeObjects(layout, layout.staging, [staged])
  expect(readFileSync(object, 'utf8')).toBe('right')
})

test('a file is replaced whole, also where a killed process left its temporary file', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'dag-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const file = path.join(root, 'sources.json')
  writeFileSync(`${file}.new`, 'half of i')
  writeFileSync(file, 'old')
  replaceDurably(file, 'new')
  expect(readFileSync(file, 'utf8')).toBe('new')
  expect(readdirSync(root)).toEqual(['sources.json'])
})
