import { isList, isObject, type Json } from '../core/json.ts'
import type { Prompt, Turn } from '../core/sources.ts'

/** A conversation as its prompt has it. */
export type Conversation = Pick<Prompt, 'text' | 'earlier' | 'systemPrompt' | 'prefill'>

interface Message {
  readonly role: 'system' | Turn['role']
  readonly content: string
}

const roles: readonly string[] = ['system', 'user', 'assistant']

/**
 * Reads a conversation in the form that chat interfaces have, `[{ "role", "content" }]`: what the user says last is the
 * prompt, a system message that begins it is its system prompt, and a message of the assistant behind the last one of the
 * user is what the answer begins with. Null where something is wrong with it, which `mistake` is told in words.
 */
export function readMessages(value: Json, mistake: (what: string) => void): Conversation | null {
  if (!isList(value)) {
    mistake('its "messages" are no list')
    return null
  }
  const wrong = value.flatMap((one, index) =>
    isMessage(one) ? [] : [`its message ${index + 1} is not { "role": "system", "user" or "assistant", "content": "…" }`],
  )
  for (const what of wrong) mistake(what)
  if (wrong.length > 0) return null
  const messages = value as unknown as Message[]
  const system = messages[0]?.role === 'system' ? messages[0].content : undefined
  const turns = messages.slice(system === undefined ? 0 : 1)
  const begun = turns.at(-1)?.role === 'assistant' ? turns.at(-1)?.content : undefined
  const said = begun === undefined ? turns : turns.slice(0, -1)
  const last = said.at(-1)
  const late = turns.findIndex(({ role }) => role === 'system')
  if (late >= 0) mistake('a system message stands behind others: it can only be the first')
  else if (last?.role !== 'user') mistake('its messages do not end with one of the user, or one and what the answer begins with')
  if (late >= 0 || last?.role !== 'user') return null
  const earlier = said.slice(0, -1) as Turn[]
  return {
    text: last.content,
    ...(earlier.length > 0 ? { earlier: earlier.map(({ role, content }) => ({ role, content })) } : {}),
    ...(system === undefined ? {} : { systemPrompt: system }),
    ...(begun === undefined ? {} : { prefill: begun }),
  }
}

function isMessage(value: Json): boolean {
  if (!isObject(value)) return false
  const { role, content } = value
  return typeof role === 'string' && roles.includes(role) && typeof content === 'string' && content.trim() !== ''
}
