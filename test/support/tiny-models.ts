import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { python, root, smollm2, tiny } from './paths.ts'

/** Makes the small models once. */
export default function setup(): void {
  const script = path.join(root, 'test', 'support', 'make_tiny.py')
  const mark = path.join(tiny, 'made-by')
  const wanted = createHash('sha256')
    .update(readFileSync(script))
    .update(readFileSync(path.join(root, 'sidecar', 'requirements.txt')))
    .digest('hex')
  if (existsSync(mark) && readFileSync(mark, 'utf8') === wanted) return
  rmSync(tiny, { recursive: true, force: true })
  execFileSync(python, [script, smollm2, tiny], { stdio: ['ignore', 'ignore', 'pipe'] })
  writeFileSync(mark, wanted)
}
