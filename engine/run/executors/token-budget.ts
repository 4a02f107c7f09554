import { readFileSync } from 'node:fs'
import type { RunFact } from '../../core/events.ts'
import { isObject, type Json } from '../../core/json.ts'
import type { ModelSource } from '../../core/sources.ts'
import type { TokenLimits } from '../../store/token-limits.ts'
import type { SidecarEnded } from './sidecar-errors.ts'

/** Fewer tokens at once than this are not tried; as in `sidecar/inference/room.py`. */
const least = 64

/**
 * How many tokens the sidecar works on at once with the model it holds. It measures that itself when it loads the model
 * and halves it when memory runs out; where the kernel ends it for that instead, it is halved here. What was too much
 * once is remembered and not tried again.
 */
export interface TokenBudget {
  /** Most tokens to load a model with, null when its memory never ran out. */
  limit(base: ModelSource, device: string): number | null
  /** The model is loaded, and this was the answer. */
  loaded(base: ModelSource, device: string, answer: Json): void
  /** This is the answer to work with the loaded model. */
  worked(answer: Json): void
  /** Whether the kernel ended the sidecar for want of memory, and half the tokens, kept from now on, are worth a try. */
  halved(error: SidecarEnded): boolean
}

export function tokenBudget(limits: TokenLimits, emit: (fact: RunFact) => void): TokenBudget {
  let held: { readonly model: string; readonly name: string; tokens: number } | null = null
  let kills = 0

  const shrink = (tokens: number): void => {
    if (!held) return
    held.tokens = tokens
    limits.remember(held.model, tokens)
    emit({ type: 'setup', text: `memory ran out; from now on ${tokens} tokens at once with ${held.name}` })
  }

  return {
    limit(base, device) {
      held = null
      kills = killsForMemory()
      return limits.recall(modelOf(base, device))
    },
    loaded(base, device, answer) {
      const tokens = budgetIn(answer)
      held = tokens === null ? null : { model: modelOf(base, device), name: base.name, tokens }
    },
    worked(answer) {
      const tokens = budgetIn(answer)
      if (held && tokens !== null && tokens < held.tokens) shrink(tokens)
    },
    halved(error) {
      if (!held || !error.end.forMemory || killsForMemory() <= kills) return false
      const half = Math.floor(held.tokens / 2)
      if (half < least) return false
      shrink(half)
      return true
    },
  }
}

function modelOf({ path, dtype, quantization }: ModelSource, device: string): string {
  return JSON.stringify([path, device, dtype, quantization])
}

function budgetIn(answer: Json): number | null {
  return isObject(answer) && typeof answer.token_budget === 'number' ? answer.token_budget : null
}

/** Processes that this machine's kernel ended for want of memory; 0 where it does not count them. */
function killsForMemory(): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync('/proc/vmstat', 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}
