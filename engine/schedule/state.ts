/** Where work is done: a sidecar, the engine's own process, or a program of the user's. */
export type Lane = 'sidecar' | 'engine' | 'command'

export interface ModelState {
  readonly base: string
  readonly adapter: string | null
}

/** What must be loaded or put on before a batch, and what that counts as. */
export interface Transition {
  readonly to: ModelState
  readonly loadsBase: boolean
  readonly switchesAdapter: boolean
}

/** Names the state of what needs no model. */
export const noModel = 'no model'

/** Names a state. */
export function stateKey(state: ModelState | null): string {
  return state ? JSON.stringify([state.base, state.adapter]) : noModel
}
