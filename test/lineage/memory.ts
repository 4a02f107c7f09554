import { type Digest, digestOfJson } from '../../engine/core/digest.ts'
import type { Json } from '../../engine/core/json.ts'
import type { Sources } from '../../engine/core/sources.ts'
import type { CellOutput, Components, FileSource, Task } from '../../engine/core/step-kind.ts'
import { expand, type TaskGraph } from '../../engine/graph/expand.ts'
import { explainer } from '../../engine/lineage/explain.ts'
import type { FormerCell, History } from '../../engine/lineage/history.ts'
import { type ReasonGroup, reasonsOf } from '../../engine/lineage/reasons.ts'
import { cellMemory } from '../../engine/plan/cell-memory.ts'
import { sharedComponents } from '../../engine/plan/keys.ts'
import { type Plan, plan } from '../../engine/plan/plan.ts'
import type { Snapshot } from '../../engine/plan/settle.ts'
import { reasonLine } from '../../engine/report/reason-text.ts'
import { parseYaml } from '../../engine/spec/document.ts'
import type { Workflow } from '../../engine/spec/workflow.ts'
import { kinds } from '../../steps/index.ts'

type Steps = Readonly<Record<string, Readonly<Record<string, Json>>>>

/** A workflow's steps and what they point at, all in memory. */
export interface Job {
  readonly steps: Steps
  readonly sources: Sources
  readonly files?: ReadonlyMap<string, FileSource>
}

const layersAndDefaults: Steps = {
  vectors: { kind: 'extract', model: 'tiny', traits: 'all', layers: [1, 2], methods: ['mean_diff'], position: 'response' },
  answers: {
    kind: 'generate',
    model: 'tiny',
    organisms: 'all',
    prompts: 'all',
    max_new_tokens: 6,
    temperature: 0,
    samples: 1,
    batch_size: 8,
    capture: { layers: [1, 2] },
  },
  clean: { kind: 'replay', of: 'answers', through: 'tiny', capture: { layers: [1, 2] }, batch_size: 8 },
  scores: {
    kind: 'project',
    of: ['answers', 'clean'],
    onto: 'vectors',
    traits: 'all',
    layers: [2],
    methods: ['mean_diff'],
    centered: false,
  },
  ranking: { kind: 'rank', of: 'scores', mode: 'diff', by: 'response_mean', top: 3, folder: 'top_activating' },
  report: { kind: 'report', of: 'ranking' },
}

/** 4 organisms, 5 prompts in 2 sets, 2 traits: 4 vectors, 20 answers, 40 recordings, 80 projections, 5 rankings, 1 report. */
export function job({
  organisms = ['a', 'b', 'c', 'd'],
  traits = ['kind', 'rude'],
  prompts = { one: ['p1', 'p2', 'p3'], two: ['q1', 'q2'] },
  steps = {},
}: {
  readonly organisms?: readonly string[]
  readonly traits?: readonly string[]
  readonly prompts?: Readonly<Record<string, readonly string[]>>
  readonly steps?: Steps
} = {}): Job {
  const identity = { weights: 'w', config: 'c', tokenizer: 't' }
  const facts = { layers: 9, hidden: 4, parameters: 100, activeParameters: 100, expertParameters: 0, contextLength: 99, keyValues: 4 }
  const pairs = (trait: string) => [{ id: '1', prompt: trait, positive: 'yes', negative: 'no' }]
  const merged = { ...layersAndDefaults, ...steps }
  return {
    steps: merged,
    sources: {
      models: new Map([
        [
          'tiny',
          {
            name: 'tiny',
            origin: 'tiny',
            path: '/tiny',
            devices: ['cpu'],
            dtype: 'bfloat16',
            quantization: null,
            told: { plain: false, date: null, variables: {} },
            identity,
            facts,
          },
        ],
      ]),
      organisms: organisms.map((name) => ({ name, origin: name, path: `/${name}`, digest: digestOfJson(name), plants: [] })),
      promptSets: Object.entries(prompts).map(([name, ids]) => ({
        name,
        path: `/${name}.json`,
        systemPrompt: null,
        prompts: ids.map((id) => ({ id: id.replace(/!$/, ''), text: id, note: '' })),
      })),
      traits: traits.map((name) => ({
        name: name.replace(/!$/, ''),
        category: 'behaviour',
        reference: false,
        pairs: pairs(name),
        scenarios: null,
      })),
    },
  }
}

export function graphOf({ steps, sources, files = new Map() }: Job): TaskGraph {
  const document = parseYaml('flow.yaml', '')
  const workflow: Workflow = {
    name: 'flow',
    experiment: 'flow',
    file: 'flow.yaml',
    folder: '/',
    models: {},
    organisms: null,
    prompts: null,
    traits: null,
    notify: null,
    pilot: null,
    steps: Object.entries(steps).map(([name, { kind, ...params }]) => ({ name, kind: kind as string, params })),
    rangeOf: (at, of) => document.rangeOf(at, of),
  }
  const { graph, diagnostics } = expand(workflow, kinds, sources, files)
  if (diagnostics.length > 0) throw new Error(diagnostics.map((diagnostic) => diagnostic.message).join('\n'))
  return graph
}

interface Made {
  readonly key: Digest
  readonly digest: Digest
  readonly task: string
  readonly cell: string
  readonly run: string
  readonly components: Components
  readonly shared: Components
}

/** So few that plans meet the packing of cells. */
const fewCells = 5

/** A store in memory, whose cells hold their keys. */
export class Memory {
  readonly #cells = new Map<Digest, Made>()
  readonly #lost = new Map<Digest, 'gone' | 'damaged'>()
  /** What the last run was to make, when it did not come to its end. */
  #unfinished: { run: string; planned: Record<string, number> } | null = null
  readonly #alike: readonly string[]

  /** `alike`: prompts that all organisms answer alike, so that the clean model reads one answer for all. */
  constructor(alike: readonly string[] = []) {
    this.#alike = alike
  }

  /** Makes every cell that is not made; `only` leaves out the others, as a run that is cut off. */
  run(of: Job, run: string, only: (task: string) => boolean = () => true): this {
    const graph = graphOf(of)
    const first = this.#plan(graph)
    this.#unfinished = { run, planned: Object.fromEntries(first.tasks.map(({ task, toRun }) => [task.id, toRun])) }
    for (let made = -1; made !== this.#cells.size; ) {
      made = this.#cells.size
      const planned = this.#plan(graph)
      for (const { task } of planned.tasks.filter((each) => only(each.task.id))) {
        for (const { spec, key, output } of planned.settled(task.id).cells) {
          if (key === null || output !== null || spec.own === null) continue
          const shared = sharedComponents(task)
          const components = { ...shared, ...spec.own }
          const told = task.operation.name === 'generate' && this.#alike.includes(spec.id) ? components.prompt : key
          this.#cells.set(key, { key, digest: digestOfJson(told as Json), task: task.id, cell: spec.id, run, components, shared })
          this.#lost.delete(key)
        }
      }
    }
    if (this.#plan(graph).tasks.every(({ toRun }) => toRun === 0)) this.#unfinished = null
    return this
  }

  /** Loses what holds the cells of a task. */
  lose(task: string, how: 'gone' | 'damaged'): this {
    for (const cell of this.#cells.values()) if (cell.task === task) this.#lost.set(cell.key, how)
    return this
  }

  /** The lines of a plan's reasons. */
  reasons(of: Job): string[] {
    return this.groups(of).map(reasonLine)
  }

  groups(of: Job): ReasonGroup[] {
    const planned = this.#plan(graphOf(of))
    const history = this.#history()
    const explain = explainer(
      history,
      () => null,
      (id) => planned.graph.byId.get(id) as Task,
    )
    return reasonsOf(planned, explain, history)
  }

  cellsToRun(of: Job): number {
    return this.#plan(graphOf(of)).tasks.reduce((sum, { toRun }) => sum + toRun, 0)
  }

  #plan(graph: TaskGraph): Plan {
    const snapshot: Snapshot = {
      done: () => null,
      ahead: () => {},
      look: (key) => {
        const made = this.#cells.get(key)
        if (!made) return null
        return this.#lost.has(key) ? 'lost' : this.#output(made)
      },
    }
    return plan(graph, snapshot, { memory: cellMemory(fewCells) })
  }

  #output({ key, digest }: Made): Omit<CellOutput, 'task' | 'cell'> {
    return { key, digest, slot: { object: digest, format: 'file' }, facts: { prompt_tokens: 2, response_tokens: 3, tokens: 3 } }
  }

  #history(): History {
    const byTask = Map.groupBy(this.#cells.values(), ({ task }) => task)
    const unfinished = this.#unfinished
    return {
      tasks: new Set(byTask.keys()),
      former(task) {
        const cells = byTask
          .get(task)
          ?.map((made): [string, FormerCell] => [made.cell, { ...made, components: () => made.components, shared: () => made.shared }])
        const byName = new Map(cells)
        return { get: (cell) => byName.get(cell), names: () => byName.keys() }
      },
      stored: (key) => {
        const made = this.#cells.get(key)
        return made ? { run: made.run, object: made.task } : null
      },
      damage: (object) => {
        const state = [...this.#lost].find(([key]) => this.#cells.get(key)?.task === object)?.[1] ?? 'gone'
        return { object, state, noticed: null, quarantine: null }
      },
      last: unfinished && { ...unfinished, file: 'flow.yaml', at: 0, outcome: null, of: () => null, all: () => [] },
    }
  }
}
