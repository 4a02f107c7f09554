import type { Chat } from './chat.ts'
import type { Digest } from './digest.ts'
import type { Json, JsonObject } from './json.ts'
import type { ParamSchema } from './schema.ts'
import type { ModelSource, Sources } from './sources.ts'

/**
 * A kind of step, e.g. `generate`. The engine knows kinds only through this interface; each is a folder under
 * `steps/`. A kind turns a step into tasks; a task's operation says what its cells are and how to make them.
 */
export interface StepKind {
  readonly kind: string
  readonly description: string
  readonly schema: ParamSchema
  /** Tasks in a stable order, or the mistakes that only this kind can see. Pure. */
  tasks(step: Step, context: ExpandContext): { tasks: Task[]; problems: Problem[] }
  /** What a step has its model read as chats; those that the model's context cannot hold are refused. Pure. */
  chats?(step: Step, sources: Sources): readonly Chat[]
  /** Whether a step so written has no tasks of its own because the steps that read it do its work. */
  leavesWork?(step: Step): boolean
}

/** A step as written, with defaults filled in. */
export interface Step {
  readonly name: string
  readonly kind: string
  readonly params: Readonly<Record<string, Json>>
}

export interface ExpandContext {
  readonly sources: Sources
  /** Digests of files that `x-ref: file` parameters name, by the name as written. */
  readonly files: ReadonlyMap<string, FileSource>
  /** A step that this one refers to, already expanded. */
  step(name: string): { readonly step: Step; readonly tasks: readonly Task[] }
}

export interface FileSource {
  readonly path: string
  readonly digest: Digest
  /** Shape of each tensor of a safetensors file that a pattern found, by name. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>
}

/** A mistake in a step; `path` is within the step's parameters. */
export interface Problem {
  readonly rule: string
  readonly message: string
  readonly hint?: string
  readonly path: readonly (string | number)[]
}

/** Named parts of a key. They are stored, so that two keys can be told apart by name. */
export type Components = JsonObject

/** A step at one coordinate. */
export interface Task {
  /** Unique in the workflow, e.g. `answers/flattery/discovery`. */
  readonly id: string
  readonly step: string
  /** Column of the progress grid; `row` is its row (an organism, or the step itself). */
  readonly stage: string
  readonly row: string
  readonly coordinate: { readonly organism?: string; readonly promptSet?: string; readonly side?: string; readonly trait?: string }
  readonly operation: Operation
  readonly parents: readonly { readonly task: string; readonly role: string }[]
  /**
   * Its outputs are given up once every task that reads them is done. They count as made, and are made again when a
   * task wants to read them.
   */
  readonly transient?: true
  /** It is of some prompts of its set alone: of which, the whole set says. */
  readonly someOfSet?: true
  /** What must be loaded; null when no model is needed. */
  readonly state: LoadedState | null
  /** Key components that all its cells share. */
  readonly shared: Components
  /** What the operation expands into cells, as plain data. Every member enters the task's deep key. */
  readonly data: JsonObject
  /** What shapes only speed or looks. */
  readonly tuning: JsonObject
  /** Where named parts of its keys come from; the rest are outputs of its parents. */
  readonly origins: Readonly<Record<string, Origin>>
}

/** Where a named part of a key comes from, so that a person can be led there. */
export type Origin =
  /** A place in the workflow's file. */
  | { readonly from: 'workflow'; readonly path: readonly (string | number)[] }
  /** Something the workflow points at. `part` is which part of it; `prompt` is the cell's own. `file`: the one of several that it stands in, a line each. */
  | {
      readonly from: 'model' | 'organism' | 'prompt-set' | 'trait' | 'file'
      readonly name: string
      readonly part?: string
      readonly file?: string
    }

export interface LoadedState {
  readonly base: ModelSource
  readonly adapter: Adapter | null
}

export interface Adapter {
  readonly name: string
  readonly path: string | null
  readonly digest: Digest
}

/** What a task does with its cells. */
export interface Operation {
  readonly name: string
  /** Raised when the same components would give another result. It enters every key. */
  readonly version: number
  /** What people count, and whether one is a cell or a group of cells: 30,800 recordings of 6 layers each. */
  readonly counts: { readonly noun: string } & ({ readonly by: 'cell' } | { readonly by: 'group'; cellsOfGroup(task: Task): number })
  /** What the parts of a cell's name stand for, e.g. its prompt and layer. Cells of other tasks that agree are its kin. */
  axes?(cell: string): Axes
  /** Cells in a stable order. A cell that depends on an output not known yet has `own: null`. Pure. */
  cells(task: Task, inputs: Inputs): CellSpec[]
  /** Groups that are worked on together, from all groups of the task, so that a resumed run makes the same batches. */
  batches(task: Task, inputs: Inputs, groups: readonly string[]): string[][]
  cost(task: Task, inputs: Inputs, cell: CellSpec): Cost
  /** A cell is made of a whole prompt set, and its bytes are in proportion to the prompts. */
  readonly ofWholeSet?: true
  /** Groups that a model works on at once where memory allows it; absent where the sidecar alone decides that. */
  together?(task: Task): number
  readonly runs: OnSidecar | InEngine | AsCommand
  /** What people should know of cells of a step, in words: told at the end of the run that made them, and by `dag show`. */
  remarks?(cells: readonly FactsOf[]): readonly string[]
  /** Folder of a cell's files in the experiment's view, for operations whose results people look at. */
  folder?(task: Task, cell: CellSpec): string
  /** The file in that folder to look at first; a Markdown one is printed at the end of a run. */
  readonly headline?: string
}

export type Axes = Readonly<Record<string, string>>

/** The smallest thing that is cached. */
export interface CellSpec {
  /** Unique in its task, e.g. `discovery_001@20`. */
  readonly id: string
  /** Cells of one group are made by one piece of work: one forward pass gives every layer. */
  readonly group: string
  readonly own: Components | null
  /** The cells it is computed from, for lineage. */
  readonly inputs: readonly CellOutput[]
}

/** What a stored cell holds. */
export interface CellOutput {
  /** Task and cell it was looked up as. */
  readonly task: string
  readonly cell: string
  readonly key: Digest
  readonly digest: Digest
  readonly slot: Slot
  readonly facts: Facts
  /** Its bytes were given up after use (see {@link Task.transient}); what they were is still known. */
  readonly evicted?: true
}

/** What a stored cell gives to those that are made from it. */
export type StoredOutput = Pick<CellOutput, 'digest' | 'slot' | 'facts' | 'evicted'>

export type Facts = Readonly<Record<string, string | number | boolean | null>>

/** What was noted of a cell when it was made. */
export interface FactsOf {
  readonly cell: string
  readonly facts: Facts
}

/** Where a cell's bytes are: a byte range of an object, rows of a Parquet object, or an object as a whole. */
export type Slot =
  | { readonly object: Digest; readonly format: 'json'; readonly offset: number; readonly length: number }
  | {
      readonly object: Digest
      readonly format: 'tensor'
      readonly offset: number
      readonly length: number
      readonly dtype: string
      readonly shape: readonly number[]
    }
  | { readonly object: Digest; readonly format: 'parquet'; readonly row: number; readonly rows: number }
  | { readonly object: Digest; readonly format: 'file' }

/** A task's parents by role, each with its cells. */
export interface Inputs {
  of(role: string): readonly ParentTask[]
}

export interface ParentTask {
  readonly task: Task
  /** In the parent's order. `output` is null while it is not known. */
  readonly cells: readonly { readonly spec: CellSpec; readonly output: CellOutput | null }[]
  cell(id: string): { readonly spec: CellSpec; readonly output: CellOutput | null } | undefined
}

/** Work and room that a cell takes. Tokens and what is read are those of its whole group, counted once a group. */
export interface Cost {
  readonly decodeTokens: number
  readonly prefillTokens: number
  /** Share of the model's depth that a prefill goes through. */
  readonly depth: number
  /** Written. */
  readonly bytes: number
  /** Read of the store, where that is much. */
  readonly readBytes?: number
  /** Cells that it is computed from, where they are all of a prompt set: the store notes each of them. */
  readonly madeOf?: number
}

/** Work of the sidecar; see docs/sidecar-protocol.md. */
export interface OnSidecar {
  readonly on: 'sidecar'
  readonly method: string
  params(task: Task, inputs: Inputs, cells: readonly CellSpec[], ref: (output: CellOutput) => Json): JsonObject
}

/** Work in the engine's own process: small, on results already there. */
export interface InEngine {
  readonly on: 'engine'
  /** One result a cell, in their order, each made when it is asked for: between them the process does other things. */
  run(task: Task, inputs: Inputs, cells: readonly CellSpec[], read: Reader): AsyncIterable<TextFiles | BytesFile>
}

/** One cell's result as named text files. */
export interface TextFiles {
  readonly files: Readonly<Record<string, string>>
  readonly facts: Facts
}

/** One cell's result as one file, named by `file` of the cell's own components. */
export interface BytesFile {
  readonly bytes: Uint8Array
  readonly facts: Facts
}

/** A program of the user's. */
export interface AsCommand {
  readonly on: 'command'
  command(task: Task, inputs: Inputs): CommandSpec
}

export interface CommandSpec {
  readonly argv: readonly string[]
  readonly shell: boolean
  readonly env: Readonly<Record<string, string>>
  /** Input name → what is laid into the command's folder as `in/NAME`. */
  readonly inputs: Readonly<Record<string, { readonly file: string; readonly digest: Digest } | CellOutput>>
  /** Output (cell) name → path in the command's folder. */
  readonly outputs: Readonly<Record<string, string>>
}

/** Reads stored cells. Every read checks the digest; a mismatch is a {@link CorruptObject}. */
export interface Reader {
  json(output: CellOutput): Promise<Json>
  /** A cell that is a file as a whole. */
  text(output: CellOutput): Promise<string>
  /** Scores of one cell, float32 per token. */
  scores(output: CellOutput): Promise<Float32Array>
  /** A vector, `[hidden]`, float32. */
  vector(output: CellOutput): Promise<Float32Array>
}

/** A stored object whose bytes are not what its digest says, or that is gone. */
export class CorruptObject extends Error {
  readonly object: Digest
  constructor(object: Digest, detail: string) {
    super(`stored object ${object.slice(0, 12)} ${detail}`)
    this.name = 'CorruptObject'
    this.object = object
  }
}
