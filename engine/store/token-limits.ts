import type { Store } from './store.ts'

/** The most tokens at once that memory was known to have room for, by what was loaded. */
export interface TokenLimits {
  /** Null when memory never ran out. */
  recall(loaded: string): number | null
  /** Keeps the smaller of this and what is known. */
  remember(loaded: string, tokens: number): void
}

/** Remembered in the index, which is only a cache: where it fails or is made anew, memory is measured again. */
export function tokenLimits(store: Store): TokenLimits {
  const table = 'CREATE TABLE IF NOT EXISTS token_limits (loaded TEXT PRIMARY KEY, tokens INTEGER NOT NULL) WITHOUT ROWID'
  return {
    recall(loaded) {
      return orNothing(() => {
        const row = store.db.prepare('SELECT tokens FROM token_limits WHERE loaded = ?').get(loaded)
        return Number(row?.tokens ?? 0) || null
      })
    },
    remember(loaded, tokens) {
      orNothing(() => {
        store.db.exec(table)
        const insert = 'INSERT INTO token_limits (loaded, tokens) VALUES (?, ?)'
        store.db.prepare(`${insert} ON CONFLICT (loaded) DO UPDATE SET tokens = min(tokens, excluded.tokens)`).run(loaded, tokens)
        return null
      })
    },
  }
}

function orNothing<Value>(work: () => Value | null): Value | null {
  try {
    return work()
  } catch {
    return null
  }
}
