import { readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { type UnitRow, unitComparison } from '../index/check-index.ts'
import { cellsIn, cellsOf, type Finding } from './damage.ts'
import { objectPath, type StoreLayout } from '../files/layout.ts'
import type { StoredFile } from '../files/manifest.ts'
import { readManifest } from '../files/manifest-file.ts'
import { reindexUnit, rewriteManifest, setAside } from '../mend.ts'
import type { Store } from '../store.ts'

/** Every unit's manifest is there and whole, and the index agrees with it; no other manifest is damaged. */
export function* checkManifests(store: Store, units: readonly UnitRow[], onManifest: () => void): Generator<Finding> {
  const compare = unitComparison(store.db)
  for (const unit of units) {
    const state = readManifest(store.layout, unit.manifest)
    onManifest()
    if ('problem' in state) yield damagedManifest(store, unit, state.problem)
    else {
      const difference = compare(unit, state.manifest)
      if (difference === null) continue
      yield {
        what: 'index',
        name: unit.manifest,
        detail: difference,
        affected: cellsOf(store.db, unit.id),
        stillThere: () => unitComparison(store.db)(unit, state.manifest) !== null,
        mend() {
          reindexUnit(store, unit, state.manifest)
          return 'rewritten'
        },
      }
    }
  }
  const known = new Set(units.map(({ manifest }) => manifest))
  for (const name of readdirSync(store.layout.manifests)) {
    if (known.has(name)) continue
    const state = readManifest(store.layout, name)
    if ('problem' in state && isUnknown(store, name)) yield strayManifest(store, name, state.problem)
  }
}

function damagedManifest(store: Store, unit: UnitRow, detail: string): Finding {
  return {
    what: 'manifest',
    name: unit.manifest,
    detail,
    affected: cellsOf(store.db, unit.id),
    stillThere: () => 'problem' in readManifest(store.layout, unit.manifest) && !isUnknown(store, unit.manifest),
    mend() {
      setAside(store.layout, path.join(store.layout.manifests, unit.manifest))
      rewriteManifest(store, unit)
      return 'rewritten'
    },
  }
}

/** A damaged manifest that the index does not know: its cells are made again when they are asked for. */
function strayManifest(store: Store, name: string, detail: string): Finding {
  return {
    what: 'manifest',
    name,
    detail,
    affected: [],
    stillThere: () => 'problem' in readManifest(store.layout, name) && isUnknown(store, name),
    mend() {
      setAside(store.layout, path.join(store.layout.manifests, name))
      return 'quarantined'
    },
  }
}

function isUnknown(store: Store, manifest: string): boolean {
  return store.db.prepare('SELECT 1 FROM units WHERE manifest = ?').get(manifest) === undefined
}

/** Every object is there in full length. */
export function checkSizes(store: Store, objects: readonly StoredFile[]): Finding[] {
  return objects.flatMap((object) => {
    const problem = sizeProblem(store.layout, object)
    return problem === null ? [] : [damagedObject(store, object, problem, () => sizeProblem(store.layout, object) !== null)]
  })
}

function sizeProblem(layout: StoreLayout, { digest, bytes }: StoredFile): string | null {
  const stat = statSync(objectPath(layout, digest), { throwIfNoEntry: false })
  if (!stat) return 'is gone'
  if (!stat.isFile()) return 'is no file'
  return stat.size === bytes ? null : `has ${stat.size} bytes in place of ${bytes}`
}

/** A finding that takes an object out of use, unless it has gone out of use or come right meanwhile. */
export function damagedObject(store: Store, object: StoredFile, detail: string, stillWrong: () => boolean | Promise<boolean>): Finding {
  const { digest } = object
  const isKnown = () => store.db.prepare('SELECT 1 FROM objects WHERE digest = unhex(?)').get(digest) !== undefined
  return {
    what: 'object',
    name: digest,
    detail,
    affected: cellsIn(store.db, digest),
    stillThere: () => isKnown() && stillWrong(),
    mend() {
      store.quarantine(digest)
      return 'quarantined'
    },
  }
}
