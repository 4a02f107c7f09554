import type { Json } from '../../engine/core/json.ts'
import type { CellOutput, Operation, ParentTask, Reader, TextFiles } from '../../engine/core/step-kind.ts'
import type { Plants } from '../common/plants.ts'
import { rankingsOf } from '../common/rankings.ts'
import { namesOf } from '../common/vectors.ts'
import { pretty } from '../common/written.ts'
import { type Across, matrixOf } from './matrix.ts'
import { matrixMarkdown } from './overview-text.ts'
import { type BestClause, bestClause, higher, type OwnRanking, profileMarkdown } from './profile.ts'
import { rankingsFolder } from './shown.ts'

/** Pools the rankings of all prompt sets into the organism × trait matrix, and a page of each organism. */
export const overviewOperation: Operation = {
  name: 'rank-overview',
  version: 10,
  counts: { noun: 'overviews', by: 'cell' },
  cells(_task, inputs) {
    const rankings = rankingsOf(inputs.of('rankings'))
    return [{ id: 'overview', group: 'overview', own: rankings?.own ?? null, inputs: rankings?.outputs ?? [] }]
  },
  batches: (_task, _inputs, groups) => [[...groups]],
  cost: () => ({ decodeTokens: 0, prefillTokens: 0, depth: 0, bytes: 4_000 }),
  runs: {
    on: 'engine',
    async *run(task, inputs, _cells, read) {
      const { rankings, clauses } = await readRankings(inputs.of('rankings'), read)
      const matrix = matrixOf(rankings, task.shared.organisms as string[], (task.shared.plants ?? {}) as Plants)
      const name = namesOf(rankings)
      const profiles = matrix.rows.map((row) => {
        const best = new Map<string, BestClause>()
        for (const { ranking, clause } of clauses.get(row.organism) ?? []) best.set(name(ranking), higher(best.get(name(ranking)), clause))
        return [`organisms/${row.organism}.md`, profileMarkdown(matrix, row, best)]
      })
      const files = {
        'summary.md': matrixMarkdown(matrix),
        'matrix.json': pretty(matrix as unknown as Json),
        ...Object.fromEntries(profiles),
      }
      yield { files, facts: {} }
    },
  },
  folder: rankingsFolder,
  headline: 'summary.md',
}

/** Rankings of all organisms, and of each organism the highest clause of every one of them. */
interface Read {
  readonly rankings: readonly Across[]
  readonly clauses: ReadonlyMap<string, readonly { readonly ranking: Across; readonly clause: BestClause }[]>
}

async function readRankings(parents: readonly ParentTask[], read: Reader): Promise<Read> {
  const rankings: Across[] = []
  const found: { organism: string; ranking: Across; clause: BestClause }[] = []
  for (const { output } of parents.flatMap(({ cells }) => cells)) {
    const { files } = (await read.json(output as CellOutput)) as unknown as TextFiles
    const ranking = JSON.parse(files['across_organisms.json'] as string) as Across
    rankings.push(ranking)
    for (const { organism } of ranking.organisms) {
      const clause = bestClause(JSON.parse(files[`by_organism/${organism}.json`] as string) as OwnRanking)
      if (clause) found.push({ organism, ranking, clause })
    }
  }
  return { rankings, clauses: Map.groupBy(found, ({ organism }) => organism) }
}
