import type { RunFact } from '../../core/events.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Maker } from '../../core/maker.ts'
import type { ModelSource, Told } from '../../core/sources.ts'
import type { Adapter, LoadedState } from '../../core/step-kind.ts'
import type { Hello, Sidecar } from './sidecar.ts'
import type { TokenBudget } from './token-budget.ts'

export interface ModelStateOptions {
  readonly budget: TokenBudget
  /** Whether what a state is loaded from still is what keys name. */
  isUnchanged(loaded: ModelSource | Adapter): Promise<boolean>
  emit(fact: RunFact): void
}

interface Loaded {
  readonly base: string
  readonly device: string
  /** What the base computes on, as the sidecar tells it. */
  readonly machine: JsonObject
  /** The adapter in memory, which may be off. */
  readonly resident: string | null
  /** The adapter that is on, null for none, undefined where a switch failed. */
  readonly on: string | null | undefined
}

/** What a sidecar has loaded, and how it comes to what a task needs. */
export class ModelState {
  readonly #options: ModelStateOptions
  #loaded: Loaded | null = null

  constructor(options: ModelStateOptions) {
    this.#options = options
  }

  holds({ name }: ModelSource): boolean {
    return this.#loaded?.base === name
  }

  /** A new sidecar has nothing loaded. */
  forget(): void {
    this.#loaded = null
  }

  /**
   * `device`: where the base is loaded.
   * @throws Error when it cannot be loaded, or somebody has changed its files since they were planned with.
   */
  async ensure(sidecar: Sidecar, { base, adapter }: LoadedState, device: string): Promise<void> {
    const { emit } = this.#options
    const { resident, on, ...model } = this.#loaded?.base === base.name ? this.#loaded : await this.#loadBase(sidecar, base, device)
    const wanted = adapter?.name ?? null
    if (on === wanted) return
    this.#loaded = { ...model, resident: adapter ? null : resident, on: undefined }
    const named = adapter && { name: adapter.name, path: adapter.path, digest: adapter.digest }
    const { seconds } = await this.#load(sidecar, 'set_adapter', { adapter: named }, adapter)
    this.#loaded = { ...model, resident: wanted ?? resident, on: wanted }
    if (wanted === null) emit({ type: 'state-changed', change: 'adapter-off', name: base.name, seconds })
    else if (wanted !== resident) emit({ type: 'state-changed', change: 'adapter-on', name: wanted, seconds })
  }

  /** What computes a task, in the present state or without a model. */
  maker({ versions, kernels }: Hello, inState: boolean): Maker {
    if (!inState || !this.#loaded) return { versions }
    const { device, machine } = this.#loaded
    return { versions, device, ...machine, ...(device === 'cpu' && kernels !== undefined ? { kernels } : {}) }
  }

  async #loadBase(sidecar: Sidecar, base: ModelSource, device: string): Promise<Loaded> {
    const { budget, emit } = this.#options
    const { name, path, dtype, quantization, told } = base
    if (path === null) throw new Error(`model "${name}" is not on this machine`)
    emit({ type: 'setup', text: `loading ${name}` })
    this.#loaded = null
    const asked = { path, dtype, device, quantization, ...toldParams(told), token_limit: budget.limit(base, device) }
    const { seconds, answer } = await this.#load(sidecar, 'load_base', asked, base)
    budget.loaded(base, device, answer)
    emit({ type: 'state-changed', change: 'base-loaded', name, seconds })
    const { machine } = answer as JsonObject
    return (this.#loaded = { base: name, device, machine: (machine ?? {}) as JsonObject, resident: null, on: null })
  }

  /** Has the sidecar read `source`. It may have been made anew since it was planned with: then it is not what keys name. */
  async #load(sidecar: Sidecar, method: string, params: JsonObject, source: ModelSource | Adapter | null) {
    const started = performance.now()
    const [answer] = await Promise.allSettled([sidecar.call(method, params)])
    const seconds = (performance.now() - started) / 1000
    if (source && !(await this.#options.isUnchanged(source)))
      throw new Error(`${wordsFor(source)} (${source.path}) changed while the run was going on; run again`)
    if (answer.status === 'rejected') throw answer.reason
    return { seconds, answer: answer.value }
  }
}

/** What a chat template is told, as `load_base` takes it. */
export function toldParams({ plain, date, variables }: Told): JsonObject {
  return { plain_text: plain, date, chat_template_kwargs: variables }
}

function wordsFor(source: ModelSource | Adapter): string {
  return 'digest' in source ? `the adapter of "${source.name}"` : `model "${source.name}"`
}
