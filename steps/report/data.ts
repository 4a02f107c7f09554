/** What the page embeds. Answers are held once; each ranking refers to them by index. */
export interface ReportData {
  readonly title: string
  readonly matrix: {
    readonly by: string
    readonly mode: string
    readonly promptSets: readonly string[]
    readonly columns: readonly string[]
    readonly rows: readonly { readonly organism: string; readonly values: readonly number[] }[]
  }
  readonly answers: readonly {
    readonly organism: string
    readonly set: string
    readonly promptId: string
    readonly prompt: string
    readonly tokens: readonly string[]
  }[]
  readonly rankings: readonly {
    readonly column: string
    readonly set: string
    readonly rows: readonly { readonly answer: number; readonly value: number; readonly max: number; readonly scores: readonly number[] }[]
  }[]
}

/** A stored ranking: its files by name. */
export interface StoredRanking {
  readonly files: Readonly<Record<string, string>>
}

interface ByOrganism {
  readonly organism: string
  readonly trait: string
  readonly layer: number
  readonly method: string
  readonly prompt_set: string
  readonly by: string
  readonly top: readonly {
    readonly prompt_id: string
    readonly prompt: string
    readonly tokens: readonly string[]
    readonly scores: readonly number[]
    readonly max_token: number
    readonly [metric: string]: unknown
  }[]
}

/** Gathers the listed answers of every organism, trait and prompt set. Scores are rounded to two decimals. */
export function reportData(title: string, matrixJson: string, rankings: readonly StoredRanking['files'][]): ReportData {
  const matrix = JSON.parse(matrixJson) as ReportData['matrix']
  const answers: ReportData['answers'][number][] = []
  const indexOf = new Map<string, number>()
  const lists = rankings.map((files) => {
    const organisms = Object.entries(files)
      .filter(([name]) => name.startsWith('by_organism/'))
      .map(([, text]) => JSON.parse(text) as ByOrganism)
    const first = organisms[0] as ByOrganism
    const rows = organisms.flatMap((list) =>
      list.top.map((entry) => {
        const id = `${list.organism} ${list.prompt_set} ${entry.prompt_id}`
        if (!indexOf.has(id)) {
          indexOf.set(id, answers.length)
          answers.push({
            organism: list.organism,
            set: list.prompt_set,
            promptId: entry.prompt_id,
            prompt: entry.prompt,
            tokens: entry.tokens,
          })
        }
        return {
          answer: indexOf.get(id) as number,
          value: round(entry[list.by] as number),
          max: round(entry.max_token),
          scores: entry.scores.map(round),
        }
      }),
    )
    const plain = matrix.columns.includes(first.trait)
    return { column: plain ? first.trait : `${first.trait}@${first.layer}:${first.method}`, set: first.prompt_set, rows }
  })
  return { title, matrix, answers, rankings: lists }
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
