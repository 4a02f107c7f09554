import { digestOfJson } from '../core/digest.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { type Maker, makerText } from '../core/maker.ts'
import type { LineageNode } from './lineage.ts'

/** A cell with the batch that made it and what else belongs to its provenance. */
export interface ProvNode extends LineageNode {
  /** Names the batch; cells of one batch were made by one activity. */
  readonly batch: string
  readonly files: readonly string[]
}

/** A source that cells were computed from: where in their keys its revision stands. */
export interface ProvSource {
  readonly kind: string
  readonly name: string
  readonly revision: string
  readonly file: string | null
  /** Keys of cells that read it. */
  readonly readers: readonly string[]
}

const engine = 'dag:engine'

/** A W3C PROV-JSON document: cells, sources and shown files are entities, batches are activities of the engine. */
export function provDocument(nodes: readonly ProvNode[], sources: readonly ProvSource[]): JsonObject {
  const entities: Record<string, Json> = {}
  const activities: Record<string, Json> = {}
  const generated: Record<string, Json> = {}
  const used = new Map<string, Json>()
  const derived: Record<string, Json> = {}
  const associated: Record<string, Json> = {}
  const agents: Record<string, Json> = { [engine]: { 'prov:label': 'dag', 'prov:type': qualified('prov:SoftwareAgent') } }
  const known = new Set(nodes.map(({ key }) => key))
  for (const node of nodes) {
    const [entity, activity] = [cellId(node.key), `batch:${node.batch}`]
    entities[entity] = cellEntity(node)
    activities[activity] = batchActivity(node)
    associated[`_:a${node.batch}`] = { 'prov:activity': activity, 'prov:agent': engine }
    if (node.maker) {
      const maker = `dag:maker-${digestOfJson(node.maker as unknown as Json).slice(0, 16)}`
      agents[maker] = makerAgent(node.maker)
      associated[`_:m${node.batch}`] = { 'prov:activity': activity, 'prov:agent': maker }
    }
    generated[`_:g${node.key}`] = { 'prov:entity': entity, 'prov:activity': activity, 'prov:time': iso(node.created) }
    for (const input of new Set(node.inputs)) {
      if (!known.has(input)) continue
      used.set(`_:u${node.batch}-${input}`, { 'prov:activity': activity, 'prov:entity': cellId(input) })
      const relation = { 'prov:generatedEntity': entity, 'prov:usedEntity': cellId(input), 'prov:activity': activity }
      derived[`_:d${node.key}-${input}`] = relation
    }
    for (const [index, file] of node.files.entries()) {
      const shown = `dag:file-${node.key}-${index}`
      entities[shown] = { 'prov:label': file, 'prov:type': qualified('dag:ResultFile'), 'dag:path': file }
      derived[`_:f${node.key}-${index}`] = { 'prov:generatedEntity': shown, 'prov:usedEntity': entity }
    }
  }
  const batchOf = new Map(nodes.map(({ key, batch }) => [key, batch]))
  for (const { kind, name, revision, file, readers } of sources) {
    const source = `source:${revision}`
    entities[source] = {
      'prov:label': `${kind} ${name}`,
      'prov:type': qualified('dag:Source'),
      'dag:kind': kind,
      'dag:name': name,
      ...(file === null ? {} : { 'dag:path': file }),
    }
    for (const key of readers) {
      const batch = batchOf.get(key) as string
      used.set(`_:u${batch}-${revision}`, { 'prov:activity': `batch:${batch}`, 'prov:entity': source })
      derived[`_:s${key}-${revision}`] = {
        'prov:generatedEntity': cellId(key),
        'prov:usedEntity': source,
        'prov:activity': `batch:${batch}`,
      }
    }
  }
  return {
    prefix: { dag: 'urn:dag:', cell: 'urn:dag:cell:', batch: 'urn:dag:batch:', source: 'urn:dag:source:' },
    entity: entities,
    activity: activities,
    agent: agents,
    wasGeneratedBy: generated,
    used: Object.fromEntries(used),
    wasDerivedFrom: derived,
    wasAssociatedWith: associated,
  }
}

function cellEntity({ task, cell, operation, digest, components, facts }: LineageNode): JsonObject {
  const { operation: _operation, version: _version, ...parts } = components
  const told = Object.entries({ ...parts, ...facts }).flatMap(([name, value]) => (value === null ? [] : [[`dag:${name}`, plain(value)]]))
  return {
    'prov:label': `${task}:${cell}`,
    'prov:type': qualified('dag:Cell'),
    'dag:operation': operation,
    'dag:digest': digest,
    ...(Object.fromEntries(told) as JsonObject),
  }
}

function makerAgent(maker: Maker): JsonObject {
  const { versions, ...rest } = maker
  const told = Object.entries({ ...versions, ...rest }).flatMap(([name, value]) =>
    value === undefined ? [] : [[`dag:${name}`, plain(value)]],
  )
  return { 'prov:label': makerText(maker), 'prov:type': qualified('prov:SoftwareAgent'), ...(Object.fromEntries(told) as JsonObject) }
}

function batchActivity({ task, operation, workflow, run, created, components }: LineageNode): JsonObject {
  return {
    'prov:label': `${operation} ${task}`,
    'prov:endTime': iso(created),
    'dag:run': run,
    'dag:workflow': workflow,
    'dag:task': task,
    'dag:operation': operation,
    'dag:version': components.version ?? null,
  }
}

/** PROV-JSON's attributes are texts, numbers and truth values; anything else is told as JSON text. */
function plain(value: Json): Json {
  return typeof value === 'object' ? JSON.stringify(value) : value
}

function qualified(name: string): JsonObject {
  return { $: name, type: 'prov:QUALIFIED_NAME' }
}

function cellId(key: string): string {
  return `cell:${key}`
}

function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
