import type { Digest } from '../../core/digest.ts'
import type { KeptRecord } from '../runs/run-record.ts'

/** A committed batch, as garbage collection sees it. */
export interface UnitFacts {
  readonly id: number
  readonly run: string
  readonly workflow: string
  readonly operation: string
  /** Age of its manifest, in milliseconds. */
  readonly age: number
  readonly cells: number
  readonly objects: readonly Digest[]
  /** Units that hold cells which its own were computed from. */
  readonly inputs: readonly number[]
}

/** What is shown in a folder, as units that hold it. */
export interface ShownFolder {
  readonly folder: string
  readonly units: readonly number[]
}

/** Why something stays. */
export interface Root {
  readonly kind: 'last-run' | 'unfinished-run' | 'pinned-run' | 'unrecorded-run' | 'view' | 'grace'
  /** The workflow's file, the folder, or the time. */
  readonly name: string
  readonly run: string | null
  readonly units: ReadonlySet<number>
}

export interface Decision {
  /** Each root with everything that it keeps: its units and all that they were computed from. */
  readonly kept: readonly Root[]
  readonly garbage: readonly UnitFacts[]
}

export interface Survey {
  readonly units: readonly UnitFacts[]
  /** Oldest first. */
  readonly records: readonly KeptRecord[]
  readonly shown: readonly ShownFolder[]
  /** Milliseconds. */
  readonly grace: number
}

/** Decides which units nothing stands on any more. */
export function findGarbage(survey: Survey): Decision {
  const { units, records, shown, grace } = survey
  const byId = new Map(units.map((unit) => [unit.id, unit]))
  const holders = new Map<Digest, number[]>()
  for (const { id, cells, objects } of units) if (cells > 0) for (const object of objects) append(holders, object, id)
  const madeIn = new Map<string, number[]>()
  for (const { id, run } of units) append(madeIn, run, id)

  const rootOf = (kind: Root['kind'], { file, run, objects, finished }: KeptRecord): Root => {
    const made = finished ? [] : (madeIn.get(run) ?? [])
    return { kind, name: file, run, units: closure(byId, [...objects.flatMap((object) => holders.get(object) ?? []), ...made]) }
  }
  const roots: Root[] = records.flatMap((record) => {
    const reason = reasonToKeep(record, records)
    return reason === null ? [] : [rootOf(reason, record)]
  })
  for (const [run, ids] of unrecorded(units, records)) {
    roots.push({ kind: 'unrecorded-run', name: byId.get(ids[0] as number)?.workflow ?? '', run, units: closure(byId, ids) })
  }
  for (const { folder, units: ids } of shown) roots.push({ kind: 'view', name: folder, run: null, units: closure(byId, ids) })
  const young = units.filter(({ age }) => age < grace).map(({ id }) => id)
  roots.push({ kind: 'grace', name: '', run: null, units: closure(byId, young) })

  const live = new Set(roots.flatMap((root) => [...root.units]))
  return { kept: roots.filter((root) => root.units.size > 0), garbage: units.filter(({ id }) => !live.has(id)) }
}

/**
 * Of every workflow file stay the last run that was finished and all unfinished ones since: a resume finds in them
 * what they had and what they made. Pinned runs stay in any case.
 */
export function reasonToKeep(record: KeptRecord, records: readonly KeptRecord[]): 'last-run' | 'unfinished-run' | 'pinned-run' | null {
  const later = records.slice(records.indexOf(record) + 1).filter(({ file }) => file === record.file)
  if (!later.some(({ finished }) => finished)) return record.finished ? 'last-run' : 'unfinished-run'
  return record.pinned ? 'pinned-run' : null
}

/** Units by run, of runs that left no record and whose workflow has finished none since. */
function unrecorded(units: readonly UnitFacts[], records: readonly KeptRecord[]): Map<string, number[]> {
  const known = new Set(records.map(({ run }) => run))
  const finished = new Set(records.filter((record) => record.finished).map(({ workflow }) => workflow))
  const runs = new Map<string, number[]>()
  for (const { id, run, workflow } of units) if (!known.has(run) && !finished.has(workflow)) append(runs, run, id)
  return runs
}

function closure(byId: ReadonlyMap<number, UnitFacts>, start: readonly number[]): Set<number> {
  const reached = new Set(start)
  for (const id of reached) for (const input of byId.get(id)?.inputs ?? []) reached.add(input)
  return reached
}

function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key)
  if (list) list.push(value)
  else lists.set(key, [value])
}
