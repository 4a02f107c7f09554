import type { Row } from './row.ts'
import type { sections as allSections } from './rows/index.ts'

const head = `# What an edit costs

Each row is an edit of a workflow in which everything is done, and what \`dag plan\` then says. **Made anew**: cells that certainly run, and what \`dag why\` says of them. **May follow**: cells that wait for those; each runs only if an output that it reads differs in the end. Everything else is up to date.

The edited workflow has 3 organisms (alpha, beta, gamma), 6 prompts in 2 sets (one, two), 2 layers and 2 traits (kind, rude): 8 vectors, 18 answers, 36 recordings of the organisms and 36 of the clean model, 72 projections, 5 rankings, 1 report with 6 parts. Rows marked ° are edits of a second one that samples, records every position, centres its scores, writes tables and runs two commands, or of a third one that makes a vector of the model's own answers to scenarios. All stand in \`test/support/workspace.ts\`. \`answers/*/one:one_1\` means the cell of prompt \`one_1\` in every task of that form; \`digest\` stands for 12 digits of one.

This page and its tests (\`test/job/change-impact.test.ts\`) come from one source, \`test/impact/rows/\`: \`npm run docs\` writes the page anew.
`

/** docs/change-impact.md. */
export function impactPage(sections: typeof allSections): string {
  return [head, ...sections.map(({ title, rows }) => [`## ${title}`, ...table(rows), ''].join('\n'))].join('\n')
}

function table(rows: readonly Row[]): string[] {
  const reasons = rows.some((row) => row.made || row.follow)
  const columns = reasons ? ['', 'edit', 'made anew', 'because', 'may follow'] : ['', 'edit', 'made anew']
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [
    line(columns),
    line(columns.map(() => '---')),
    ...rows.map((row) => {
      const made = Object.entries(row.made ?? {}).map(([selector, [count]]) => counted(selector, count))
      const because = [...new Set(Object.values(row.made ?? {}).map(([, reason]) => reasonText(reason)))]
      const follow = Object.entries(row.follow ?? {}).map(([selector, count]) => counted(selector, count))
      const cells = [subject(row), escape(row.edit), made.join(', ') || 'nothing', because.join('<br>'), follow.join(', ')]
      return line(cells.slice(0, columns.length))
    }),
  ]
}

function subject(row: Row): string {
  const name =
    /^[a-z_.*-]+$/.test(row.of) && !/^(comment|form|engine|workspace|machine|organisms|prompts)$/.test(row.of) ? code(row.of) : row.of
  return row.workflow ? `${name} °` : name
}

function counted(selector: string, count: number): string {
  return `${code(selector)} ${count}`
}

/** At most three parts of a key; the test asserts all of them. */
function reasonText(reason: string): string {
  if (reason === 'new') return 'not made before'
  const parts = reason.split('; ')
  return parts.length <= 3 ? code(reason) : `${code(parts.slice(0, 2).join('; '))} and ${parts.length - 2} more of the kind`
}

function code(text: string): string {
  return `\`${escape(text)}\``
}

function escape(text: string): string {
  return text.replaceAll('|', String.raw`\|`)
}
