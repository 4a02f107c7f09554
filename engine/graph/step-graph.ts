import { DirectedGraph } from 'graphology'
import { hasCycle, topologicalSort } from 'graphology-dag'
import { fail, ok, type Result } from '../core/result.ts'

/** An edge points from what is referred to, to the step that refers to it. */
export interface StepEdge {
  readonly from: string
  readonly to: string
}

/**
 * Orders steps so that each comes after what it refers to. A cycle is an error that names its path, e.g.
 * `a → b → a`: each step reads the next one. The only module that imports graphology.
 */
export function orderSteps(steps: readonly string[], edges: readonly StepEdge[]): Result<readonly string[], readonly string[]> {
  const graph = new DirectedGraph()
  for (const step of steps) graph.addNode(nodeOf(step))
  for (const { from, to } of edges) graph.mergeEdge(nodeOf(from), nodeOf(to))
  if (hasCycle(graph)) return fail(findCycle(graph).map(stepOf))
  return ok(topologicalSort(graph).map(stepOf))
}

/** Graphology looks up neighbours in plain objects, which have a `constructor` of their own: no node is called like a step. */
const prefix = 'step '
const nodeOf = (step: string): string => prefix + step
const stepOf = (node: string): string => node.slice(prefix.length)

/** Depth-first walk along what steps read, until a step is met again on the way down. */
function findCycle(graph: DirectedGraph): string[] {
  const finished = new Set<string>()
  const way: string[] = []
  const walk = (step: string): string[] | undefined => {
    const start = way.indexOf(step)
    if (start >= 0) return [...way.slice(start), step]
    if (finished.has(step)) return undefined
    way.push(step)
    for (const next of graph.inNeighbors(step)) {
      const found = walk(next)
      if (found) return found
    }
    way.pop()
    finished.add(step)
    return undefined
  }
  for (const step of graph.nodes()) {
    const found = walk(step)
    if (found) return found
  }
  throw new Error('a graph with a cycle has a path that shows it')
}
