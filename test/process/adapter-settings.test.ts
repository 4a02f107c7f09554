import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { knownSettings, onlySettings } from '../../engine/sources/adapter-settings.ts'
import { python, root } from '../support/paths.ts'

const script = `
import dataclasses, json
from peft import LoraConfig
from sidecar.model.adapter import ONLY
print(json.dumps([ONLY, [field.name for field in dataclasses.fields(LoraConfig)]]))
`

test('the engine refuses the settings of an adapter that the sidecar refuses, and no others', () => {
  const [only, fields] = JSON.parse(execFileSync(python, ['-c', script], { cwd: root, encoding: 'utf8', stdio: 'pipe' }))
  const ours = Object.fromEntries(Object.entries(onlySettings).map(([name, { allowed }]) => [name, allowed]))
  const { peft_type: _read, ...theirs } = only
  expect(ours).toEqual(theirs)
  expect([...Object.keys(onlySettings), ...knownSettings].sort()).toEqual(fields.sort())
})
