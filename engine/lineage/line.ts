import path from 'node:path'

/** A line of a result that somebody points at. */
export interface Line {
  readonly file: string
  readonly text: string
  /** Counted from 1. */
  readonly number: number
}

/** A vector as a table writes it: `kind`, `kind@2`, `kind:probe`. */
export interface VectorWords {
  readonly name: string
  readonly layer: string | undefined
  readonly method: string | undefined
}

/** What a line speaks of. What it does not name, it is about all of. */
export interface Spoken {
  readonly organism: ReadonlySet<string>
  readonly promptSet: ReadonlySet<string>
  readonly prompt: ReadonlySet<string>
  readonly vector: readonly VectorWords[]
  /** Along what answers are steered. */
  readonly steered: readonly VectorWords[]
}

/** What headings of tables say that stands below them. */
const headings: readonly { readonly of: keyof Spoken; readonly heading: RegExp }[] = [
  { of: 'organism', heading: /^organism$/ },
  { of: 'promptSet', heading: /^(higher|lower) on$/ },
  { of: 'prompt', heading: /^prompt$/ },
  { of: 'steered', heading: /^steered along$/ },
  { of: 'vector', heading: /trait$|^second$|own part$|^vector$|^direction$/ },
]

export function spokenOf(line: Line): Spoken {
  const said = [...ofFolder(line.file), ...(line.file.endsWith('.json') ? inJson(line) : inTable(line))]
  const of = (what: keyof Spoken) => said.flatMap(([axis, text]) => (axis === what ? [text] : []))
  return {
    organism: new Set(of('organism').map((text) => vectorWords(text).name)),
    promptSet: new Set(of('promptSet')),
    prompt: new Set(of('prompt')),
    vector: of('vector').map(vectorWords),
    steered: of('steered').map(vectorWords),
  }
}

type Said = readonly [keyof Spoken, string]

/** An organism that has a file of its own. */
function ofFolder(file: string): Said[] {
  const { dir, name } = path.parse(file)
  return ['organisms', 'by_organism'].includes(path.basename(dir)) ? [['organism', name]] : []
}

/** Of JSON as it is shown, a member a line: what the objects around the line say before it. */
function inJson({ text, number }: Line): Said[] {
  const said = new Map<string, string>()
  let depth = Infinity
  for (const line of text.split('\n').slice(0, number).reverse()) {
    const [, indent = '', name, value = ''] = /^( *)(?:"(\w+)": "?(.*?)"?,?$)?/.exec(line) ?? []
    if (indent.length > depth) continue
    depth = indent.length
    if (name !== undefined && !said.has(name)) said.set(name, value)
  }
  const [trait, layer, method] = ['trait', 'layer', 'method'].map((name) => said.get(name))
  const vector = `${trait}${layer === undefined ? '' : `@${layer}`}${method === undefined ? '' : `:${method}`}`
  return [
    ...(['organism', 'prompt_id', 'prompt_set', 'steered_along'] as const).flatMap((name): Said[] => {
      const value = said.get(name)
      return value === undefined ? [] : [[membersOf[name], value]]
    }),
    ...(trait === undefined ? [] : [['vector', vector] as const]),
  ]
}

const membersOf = { organism: 'organism', prompt_id: 'prompt', prompt_set: 'promptSet', steered_along: 'steered' } as const

function inTable({ text, number }: Line): Said[] {
  const lines = text.split('\n').slice(0, number)
  const rule = lines.findLastIndex((line) => /^\|( --- \|)+$/.test(line))
  if (rule < 1 || rule >= number - 1 || lines.slice(rule).some((line) => !line.startsWith('|'))) return []
  const head = cellsOf(lines[rule - 1] as string)
  return cellsOf(lines[number - 1] as string).flatMap((cell, column): Said[] => {
    const of = headings.find(({ heading }) => heading.test(head[column] ?? ''))?.of
    return of && cell !== '–' ? [[of, cell]] : []
  })
}

function cellsOf(row: string): string[] {
  return row
    .slice(2, -2)
    .split(' | ')
    .map((cell) => cell.replace(/^\*\*(.*)\*\*$/, '$1'))
}

/** A vector with what may stand behind it: `kind@2:probe 0.25`. */
function vectorWords(text: string): VectorWords {
  const [, name = text, layer, method] = /^(.+?)(?:@(\d+))?(?::([^:\s]+))?(?: -?\d+\.\d+)?$/.exec(text) ?? []
  return { name, layer, method }
}
