import path from 'node:path'
import { isList, isObject, type Json } from '../core/json.ts'
import { type Locate, type Place, placeOf } from '../core/place.ts'
import type { Origin } from '../core/step-kind.ts'
import { type Path, parseYaml, type SourceDocument } from '../spec/document.ts'
import type { Workflow } from '../spec/workflow.ts'
import type { SourceFiles } from './files/files.ts'

/** Finds the place in the workflow, or in a file that it points at, where a named part of a key is written. */
export function locator(workflow: Workflow, files: SourceFiles): Locate {
  const documents = new Map<string, SourceDocument | null>()
  const found = new Map<string, Place | null>()
  /** A JSON file is YAML too, and the YAML reader knows where everything stands. */
  const open = (from: string): SourceDocument | null => {
    let document = documents.get(from)
    if (document === undefined) {
      const text = files.text(path.resolve(workflow.folder, from))
      document = text.ok ? parseYaml(path.join(path.dirname(workflow.file), from), text.value) : null
      documents.set(from, document)
    }
    return document
  }
  const inFile = (from: string | undefined, at: (document: SourceDocument) => Path): Place | null => {
    const document = from === undefined ? null : open(from)
    return document && placeOf(document.rangeOf(at(document), 'value'))
  }
  const inWorkflow = (at: Path): Place => placeOf(workflow.rangeOf(at, 'value'))

  /** A scenario's id ends with its line. */
  const lineOf = (file: string, item: string | null): Place => {
    const line = Number(/_(\d+)$/.exec(item ?? '')?.[1] ?? 1)
    return { file: path.join(path.dirname(workflow.file), file), line, column: 1 }
  }

  const find = (origin: Origin, item: string | null): Place | null => {
    switch (origin.from) {
      case 'workflow':
        return inWorkflow(origin.path)
      case 'model': {
        const source = workflow.models[origin.name]?.source
        return { ...inWorkflow(['models', origin.name, 'source']), ...(source === undefined ? {} : { names: source }) }
      }
      case 'organism': {
        const from = workflow.organisms?.from
        const at = ['organisms', origin.name, 'adapter']
        const place = inFile(from, () => at)
        const adapter = from === undefined ? null : valueAt(open(from), at)
        return place && { ...place, ...(typeof adapter === 'string' ? { names: adapter } : {}) }
      }
      case 'prompt-set':
        return inFile(workflow.prompts ? path.join(workflow.prompts.from, `${origin.name}.json`) : undefined, (document) =>
          promptPath(document, item, origin.part ?? 'prompts'),
        )
      case 'trait':
        if (origin.file !== undefined) return lineOf(origin.file, item)
        return inFile(workflow.traits ? path.join(workflow.traits.from, `${origin.name}.json`) : undefined, () => ['pairs'])
      case 'file':
        return { file: path.join(path.dirname(workflow.file), origin.name) }
    }
  }
  return (origin, item) => {
    const name = JSON.stringify([origin, item])
    let place = found.get(name)
    if (place === undefined) {
      place = find(origin, item)
      found.set(name, place)
    }
    return place
  }
}

/** Where a part of a prompt is written, or of the set where the prompt has none of its own. */
function promptPath(document: SourceDocument, id: string | null, part: string): Path {
  const list = isList(document.data) ? [] : ['prompts']
  const prompts = isList(document.data) ? document.data : valueAt(document, list)
  const index = isList(prompts) ? prompts.findIndex((prompt) => isObject(prompt) && String(prompt.id) === id) : -1
  const prompt = isList(prompts) ? prompts[index] : undefined
  const name = part === 'prompt' && isObject(prompt) && 'text' in prompt ? 'text' : part
  if (isObject(prompt) && name in prompt) return [...list, index, name]
  if (isObject(prompt) && isInMessages(prompt.messages ?? null, part)) return [...list, index, 'messages']
  return part === 'prompt' ? list : [part]
}

/** Whether the messages of a prompt have the part: all but a system prompt that none of them is. */
function isInMessages(messages: Json, part: string): boolean {
  if (!isList(messages)) return false
  return part !== 'system_prompt' || messages.some((message) => isObject(message) && message.role === 'system')
}

function valueAt(document: SourceDocument | null, at: Path) {
  let value = document?.data ?? null
  for (const part of at) value = isObject(value) ? (value[part] ?? null) : null
  return value
}
