import type { Digest } from '../core/digest.ts'
import type { LengthMemory } from '../core/chat.ts'
import type { Store } from './store.ts'

/** Lengths of chats, remembered in the index, which is only a cache: where it fails or is made anew, they are counted. */
export function lengthMemory(store: Store): LengthMemory {
  const table = 'CREATE TABLE IF NOT EXISTS chat_lengths (chat TEXT PRIMARY KEY, tokens INTEGER NOT NULL) WITHOUT ROWID'
  return {
    recall(chats) {
      return (
        orForget(() => {
          const length = store.db.prepare('SELECT tokens FROM chat_lengths WHERE chat = ?')
          return new Map(
            chats.flatMap((chat): [Digest, number][] => {
              const row = length.get(chat)
              return row === undefined ? [] : [[chat, Number(row.tokens)]]
            }),
          )
        }) ?? new Map()
      )
    },
    remember(lengths) {
      orForget(() => {
        store.db.exec(`BEGIN IMMEDIATE; ${table}`)
        const insert = store.db.prepare('INSERT OR REPLACE INTO chat_lengths (chat, tokens) VALUES (?, ?)')
        for (const [chat, tokens] of lengths) insert.run(chat, tokens)
        store.db.exec('COMMIT')
      })
      if (store.db.isTransaction) orForget(() => store.db.exec('ROLLBACK'))
    },
  }
}

function orForget<Value>(work: () => Value): Value | null {
  try {
    return work()
  } catch {
    return null
  }
}
