import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { makeFolders, storeLayout } from '../../engine/store/files/layout.ts'
import { isRecorded, readRunRecords, type RunRecord, writeRunRecord } from '../../engine/store/runs/run-record.ts'
import { temporaryFolder } from '../support/files.ts'

const record: RunRecord = { run: '20260101-000000-aaaa', workflow: 'one', file: '../one.yaml', at: 1, finished: true, objects: ['a'] }

test.each(['', 'null', '{"run"', JSON.stringify({ ...record, objects: undefined }), JSON.stringify({ ...record, at: 'now' })])(
  'what a run stands on is passed over where it cannot be read as that: %j',
  (left) => {
    const layout = storeLayout(temporaryFolder())
    makeFolders(layout)
    writeRunRecord(layout, record)
    const later = { ...record, run: '20260101-000009-bbbb', at: 2 }
    writeRunRecord(layout, later)
    writeFileSync(path.join(layout.runs, later.run, 'stands-on.json'), left)
    expect(readRunRecords(layout)).toEqual([{ ...record, pinned: false }])
    expect(isRecorded(layout, record.file, record.objects)).toBe(true)
  },
)
