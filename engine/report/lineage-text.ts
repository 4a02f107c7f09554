import type { LineageNode } from '../lineage/lineage.ts'
import { formatCount } from './format.ts'

export type ShownNode = LineageNode & { readonly files: readonly string[] }

/** At most this many cells of one operation are written out; the rest are counted. */
const shownEach = 8

/** Lineage for reading: cells by operation, each with its key components, facts and run. */
export function lineageText(nodes: readonly ShownNode[], down: boolean): string {
  const groups = new Map<string, ShownNode[]>()
  for (const node of nodes) groups.set(node.operation, [...(groups.get(node.operation) ?? []), node])
  const lines: string[] = []
  for (const [operation, group] of groups) {
    const role = group[0] === nodes[0] ? '' : down ? 'used by ' : 'from '
    lines.push(`${role}${operation}${group.length > 1 ? ` (${formatCount(group.length)} cells)` : ''}`)
    for (const node of group.slice(0, shownEach)) lines.push(...nodeLines(node, down && node !== nodes[0]))
    if (group.length > shownEach) lines.push(`  … and ${formatCount(group.length - shownEach)} more`)
    lines.push('')
  }
  return lines.join('\n')
}

function nodeLines(node: ShownNode, brief: boolean): string[] {
  const head = `  ${node.task}:${node.cell}`
  const files = node.files.map((file) => `      shown as ${file}`)
  if (brief) return [head, ...files]
  const { operation: _operation, version, ...components } = node.components
  return [
    head,
    ...Object.entries(components).map(([name, value]) => `      ${name}: ${cut(JSON.stringify(value))}`),
    ...(Object.keys(node.facts).length > 0
      ? [
          `      facts: ${Object.entries(node.facts)
            .map(([name, value]) => `${name} ${value}`)
            .join(', ')}`,
        ]
      : []),
    ...spanLines(node),
    `      key ${node.key.slice(0, 16)} · result ${node.digest.slice(0, 16)} · step version ${version} · run ${node.run} of ${node.workflow}`,
    ...files,
  ]
}

/** Which of the recorded tokens are the answer. */
function spanLines(node: ShownNode): string[] {
  const { prompt_tokens: prompt, response_tokens: response } = node.facts
  if (typeof prompt !== 'number' || typeof response !== 'number') return []
  return [`      token span: response is tokens ${prompt} to ${prompt + response - 1} of ${prompt + response}`]
}

function cut(text: string): string {
  const short = text.replaceAll(/"([0-9a-f]{16})[0-9a-f]{48}"/g, '$1…')
  return short.length > 200 ? `${short.slice(0, 199)}…` : short
}
