import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { root } from './support/paths.ts'

const storeFolders = [
  'engine/store',
  'engine/store/files',
  'engine/store/index',
  'engine/store/runs',
  'engine/store/gc',
  'engine/store/health',
]
const belowRun = ['engine', 'engine/core', 'engine/lineage', 'engine/plan', 'engine/schedule', ...storeFolders]

const belowCli = [
  'engine',
  'engine/core',
  'engine/lineage',
  'engine/plan',
  'engine/report',
  'engine/run',
  'engine/run/executors',
  'engine/run/measure',
  'engine/run/interop',
  ...storeFolders,
  'engine/tui',
  'engine/watch',
]

/** A module may import modules of its own folder and of the folders named here. The order is that of docs/design.md. */
const mayImport: Record<string, readonly string[]> = {
  'engine/core': [],
  'engine/spec': ['engine/core', 'engine/generated'],
  'engine/sources/files': ['engine/core', 'engine/spec'],
  'engine/sources/chat': ['engine/core', 'engine/spec', 'engine/sources/files'],
  'engine/sources': ['engine/core', 'engine/spec', 'engine/sources/files', 'engine/sources/chat'],
  'engine/graph': ['engine/core', 'engine/spec'],
  'engine/store/files': ['engine/core'],
  'engine/store/index': ['engine/core', 'engine/store/files'],
  'engine/store/runs': ['engine/core', 'engine/store/files'],
  'engine/store': ['engine/core', 'engine/store/files', 'engine/store/index'],
  'engine/store/gc': ['engine/core', 'engine/store', 'engine/store/files', 'engine/store/index', 'engine/store/runs'],
  'engine/store/health': ['engine/core', 'engine/store', 'engine/store/files', 'engine/store/index', 'engine/store/gc'],
  'engine/schedule': ['engine/core'],
  'engine/plan': ['engine/core', 'engine/graph', 'engine/schedule'],
  'engine/lineage': ['engine/core', 'engine/plan', ...storeFolders],
  engine: ['engine/core', 'engine/spec', 'engine/sources', 'engine/sources/files', 'engine/sources/chat', 'engine/graph', ...storeFolders],
  'engine/run/executors': belowRun,
  'engine/run': [...belowRun, 'engine/run/executors'],
  'engine/run/measure': [...belowRun, 'engine/run', 'engine/run/executors'],
  'engine/run/interop': [...belowRun, 'engine/run/executors'],
  'engine/report': ['engine/core', 'engine/plan', 'engine/lineage', ...storeFolders],
  'engine/tui': ['engine/core', 'engine/report'],
  'engine/watch': ['engine/core'],
  'engine/cli/common': belowCli,
  'engine/cli': [...belowCli, 'engine/cli/common', 'engine/spec', 'steps', 'steps/interop'],
  steps: [
    'steps/command',
    'steps/compare',
    'steps/export',
    'steps/extract',
    'steps/generate',
    'steps/imported',
    'steps/logit-lens',
    'steps/project',
    'steps/rank',
    'steps/replay',
    'steps/report',
    'steps/random',
    'steps/shift',
    'steps/steer',
    'steps/vectors',
    'engine/core',
  ],
  'steps/common': ['engine/core'],
  'steps/report/client': [],
  'steps/report': ['engine/core', 'steps/common', 'steps/report/client'],
  'steps/*': ['engine/core', 'steps/common'],
}

/** Only these touch files and processes. */
const mayTouchTheWorld = /^engine(\/(sources|store|run|watch|cli)(\/|$)|$)/

/** Each third-party package is imported in one place. */
const homes: Record<string, readonly string[]> = {
  '@huggingface/jinja': ['engine/sources/chat/chat-template.ts'],
  '@huggingface/tokenizers': ['engine/sources/chat/tokenizer.ts'],
  yaml: ['engine/spec/document.ts'],
  ajv: ['engine/spec/shape-mistakes.ts'],
  graphology: ['engine/graph/step-graph.ts'],
  'graphology-dag': ['engine/graph/step-graph.ts'],
  'hash-wasm': ['engine/core/digest.ts'],
  hyparquet: ['engine/store/parquet.ts'],
  'hyparquet-writer': ['steps/export/parquet.ts'],
  execa: ['engine/run/executors/command-executor.ts'],
  'p-limit': ['engine/sources/organisms.ts'],
  chokidar: ['engine/watch/watch.ts'],
}

interface Module {
  readonly file: string
  readonly folder: string
  readonly imports: readonly string[]
}

function modulesOf(folder: string): Module[] {
  return readdirSync(path.join(root, folder)).flatMap((name): Module[] => {
    const file = `${folder}/${name}`
    if (statSync(path.join(root, file)).isDirectory()) return name === 'generated' ? [] : modulesOf(file)
    if (!/\.tsx?$/.test(name)) return []
    const text = readFileSync(path.join(root, file), 'utf8')
    const imports = [...text.matchAll(/^(?:import|export|\})(?:[^'\n]*\bfrom)? '([^']+)'|\b(?:import|require)\('([^']+)'\)/gm)].map(
      (match) => (match[1] ?? match[2]) as string,
    )
    return [{ file, folder, imports }]
  })
}

const modules = [...modulesOf('engine'), ...modulesOf('steps')]
const folderOf = (module: Module, specifier: string) => path.dirname(path.join(module.folder, specifier))

test('the law looks at the whole program', () => {
  expect(modules.length).toBeGreaterThan(60)
  expect(modules.flatMap((module) => module.imports).length).toBeGreaterThan(200)
})

test('a layer imports only lower ones', () => {
  const broken = modules.flatMap((module) =>
    module.imports
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => folderOf(module, specifier))
      .filter((target) => target !== module.folder && !(mayImport[module.folder] ?? mayImport['steps/*'] ?? []).includes(target))
      .map((target) => `${module.file} imports ${target}`),
  )
  expect(broken).toEqual([])
})

test('only the outer layers touch files and processes', () => {
  const worldly = /^node:(fs|child_process|net|http|https|os)/
  const broken = modules.filter(
    (module) => !mayTouchTheWorld.test(module.folder) && module.imports.some((specifier) => worldly.test(specifier)),
  )
  expect(broken.map((module) => module.file)).toEqual([])
})

test('each third-party package has one home', () => {
  const found: Record<string, string[]> = {}
  for (const module of modules) {
    for (const specifier of module.imports) {
      if (specifier.startsWith('.') || specifier.startsWith('node:')) continue
      found[specifier] = [...new Set([...(found[specifier] ?? []), module.file])]
    }
  }
  const { ink, react, '@stricli/core': stricli, ...others } = found
  expect(others).toEqual(homes)
  const hashing = modules.filter((module) => readFileSync(path.join(root, module.file), 'utf8').includes("'blake3"))
  expect(hashing.map((module) => module.file)).toEqual(['engine/core/digest.ts'])
  for (const file of [...(ink ?? []), ...(react ?? [])]) expect(file).toMatch(/^engine\/tui\//)
  for (const file of stricli ?? []) expect(file).toMatch(/^engine\/cli\//)
})

test('the engine knows no step kind by name', () => {
  const kinds = readdirSync(path.join(root, 'steps')).filter((name) => !['index.ts', 'common', 'interop'].includes(name))
  const inner = modules.filter((module) => /^engine\/(core|graph|store|plan|schedule|run|lineage|sources)(\/|$)/.test(module.folder))
  const named = inner.flatMap((module) => {
    const code = readFileSync(path.join(root, module.file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
    return kinds
      .filter((kind) => new RegExp(`kind === '${kind}'|operation(\\.name)? === '${kind}'`).test(code))
      .map((kind) => `${module.file}: ${kind}`)
  })
  expect(named).toEqual([])
})
