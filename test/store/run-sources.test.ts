import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { makeFolders, storeLayout } from '../../engine/store/files/layout.ts'
import { readRunSources, type SourceRecord, writeRunSources } from '../../engine/store/runs/run-sources.ts'
import { temporaryFolder } from '../support/files.ts'

const source: SourceRecord = {
  kind: 'trait',
  name: 'deceit',
  file: 'traits/deceit.json',
  component: null,
  revision: null,
  tasks: ['vectors/deceit'],
}

test.for(['', 'null', '[{"kind":"tra'])(
  'sources of a run that are cut off (%j) hide those of no other run, and are written anew',
  (left) => {
    const layout = storeLayout(temporaryFolder())
    makeFolders(layout)
    for (const run of ['1', '2', '3']) mkdirSync(path.join(layout.runs, run))
    writeRunSources(layout, '1', [source])
    writeFileSync(path.join(layout.runs, '2', 'sources.json'), left)
    expect(readRunSources(layout)).toEqual([source])
    writeRunSources(layout, '3', [source])
    expect(readRunSources(layout)).toEqual([source, source])
  },
)
