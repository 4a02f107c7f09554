import type { Json } from '../../engine/core/json.ts'
import type { CellOutput, Inputs, Operation, Task } from '../../engine/core/step-kind.ts'
import { apartMethod, shiftMethod, type VectorName, vectorNamed, whatOf } from '../common/vectors.ts'
import { toldFile } from '../common/told.ts'
import { pretty } from '../common/written.ts'
import { layerMarkdown, lensMarkdown, type ListedTokens, type Measure, toldOfOrganisms } from './text.ts'

/** All token lists of a step in words, and as JSON: one cell. */
export const lensSummaryOperation: Operation = {
  name: 'logit-lens-summary',
  version: 5,
  counts: { noun: 'overviews', by: 'cell' },
  cells(_task, inputs) {
    const lists = listsOf(inputs)
    const outputs = lists.map(({ output }) => output)
    const known = outputs.every((output) => output !== null)
    const tokens = Object.fromEntries(lists.map(({ spec, output }) => [spec.id, output?.digest ?? null]))
    const own = known ? { tokens, order: Object.keys(tokens) } : null
    return [{ id: 'summary', group: 'summary', own, inputs: known ? outputs : [] }]
  },
  batches: (_task, _inputs, groups) => [[...groups]],
  cost(_task, inputs) {
    const lists = listsOf(inputs).length
    return { decodeTokens: 0, prefillTokens: 0, depth: 0, bytes: 1000 + 2000 * lists, madeOf: lists }
  },
  runs: {
    on: 'engine',
    async *run(task, inputs, _cells, read) {
      const listed: ListedTokens[] = []
      for (const { spec, output } of listsOf(inputs)) {
        const { token_ids, tokens, values } = (await read.json(output as CellOutput)) as unknown as TokenRecord
        const all = tokens.map((token, index) => ({ id: token_ids[index] as number, token, value: values[index] as number }))
        const half = all.length / 2
        const vector = vectorNamed(spec.id)
        listed.push({
          ...vector,
          of: whatOf(vector, ofOrganism(vector, task)),
          toward: all.slice(0, half),
          away: all.slice(half).reverse(),
        })
      }
      const layers = [...Map.groupBy(listed, ({ layer }) => layer)].sort(([a], [b]) => a - b)
      const files = {
        'summary.md': lensMarkdown(listed, task.shared.by as Measure),
        ...toldFile(toldOfOrganisms(listed)),
        'tokens.json': pretty(listed as unknown as Json),
        ...Object.fromEntries(layers.map(([layer, own]) => [`layer${layer}.md`, layerMarkdown(layer, own, task.shared.by as Measure)])),
      }
      yield { files, facts: { vectors: listed.length } }
    },
  },
  folder: (task) => task.step,
  headline: 'summary.md',
}

/** What the sidecar writes of a direction: the tokens that it raises, the highest first, then those that it lowers, the lowest last. */
interface TokenRecord {
  readonly token_ids: readonly number[]
  readonly tokens: readonly string[]
  readonly values: readonly number[]
}

function listsOf(inputs: Inputs) {
  return inputs.of('tokens').flatMap(({ cells }) => [...cells])
}

function ofOrganism({ trait, method }: VectorName, { shared }: Task): boolean {
  return [shiftMethod, apartMethod].includes(method) && (shared.organisms as string[]).includes(trait)
}
