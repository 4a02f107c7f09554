import path from 'node:path'
import type { Chat } from '../../core/chat.ts'
import { isList, isObject, type JsonObject } from '../../core/json.ts'
import type { ModelSource, Told, Turn } from '../../core/sources.ts'
import type { SourceFiles } from '../files/files.ts'
import { strftime } from './strftime.ts'

/**
 * The chat template in a folder, as it is written; null where there is none. A file of its own goes before an entry of
 * tokenizer_config.json, which may be a list of templates by name.
 */
export function chatTemplateIn(folder: string, files: SourceFiles): string | null {
  const file = path.join(folder, 'chat_template.jinja')
  if (files.exists(file)) {
    const text = files.text(file)
    return text.ok ? text.value : null
  }
  const settings = path.join(folder, 'tokenizer_config.json')
  const config = files.exists(settings) ? files.json(settings) : null
  const template = config?.ok ? config.value.chat_template : undefined
  const chosen =
    template !== undefined && isList(template) ? template.find((entry) => isObject(entry) && entry.name === 'default') : template
  const text = isObject(chosen) ? chosen.template : chosen
  return typeof text === 'string' ? text : null
}

/** The chat template of a model; null where it is asked plain text, has none, or is not on this machine. */
export function templateOf({ path: folder, told }: ModelSource, files: SourceFiles): string | null {
  return folder === null || told.plain ? null : chatTemplateIn(folder, files)
}

/** One of a chat, as templates are given them. */
export interface Message {
  readonly role: 'system' | Turn['role']
  readonly content: string
}

/** What is said in a chat, up to where the answer begins. */
export function messagesOf({ system, earlier = [], prompt }: Pick<Chat, 'system' | 'earlier' | 'prompt'>): Message[] {
  return [...(system === null ? [] : [{ role: 'system', content: system } as const]), ...earlier, { role: 'user', content: prompt }]
}

/** A chat template that can be filled in. */
export interface ChatTemplate {
  /** A chat up to where the answer begins. Throws a `Refusal` when the template refuses the chat. */
  render(messages: readonly Message[]): string
}

/** What a template says of a chat that it refuses. */
export class Refusal extends Error {}

/** How templates refuse: a function that transformers gives them. */
const refuses = 'raise_exception'

/** Whether a template refuses any chat at all. */
export function canRefuse(template: string): boolean {
  return template.includes(refuses)
}

/** How templates ask for today's date: a function that transformers gives them. */
const asksForDate = 'strftime_now'

/** Whether a template may put today's date into a chat. */
export function isDated(template: string): boolean {
  return template.includes(asksForDate)
}

/** Words of what a template computes with, its variables among them, each once. */
export function variablesOf(template: string): string[] {
  const tags = template.matchAll(/\{[{%]([\s\S]*?)[%}]\}/g)
  return [...new Set([...tags].flatMap(([, code = '']) => code.replaceAll(/'[^']*'|"[^"]*"/g, ' ').match(/(?<![.\w])[a-z_]\w*/gi) ?? []))]
}

/**
 * The template, for the model in `folder`, with what it is `told`. Throws where it needs more of Jinja than is here,
 * and its rendering where it asks for a date and there is none.
 */
export async function openTemplate(template: string, folder: string, files: SourceFiles, told: Told): Promise<ChatTemplate> {
  const settings = files.json(path.join(folder, 'tokenizer_config.json'))
  const jinja = await import('@huggingface/jinja')
  // The library's own functions of these names cannot be replaced: its error is like any other, and its date today's.
  const parsed = new jinja.Template(template.replaceAll(refuses, 'refuse_chat').replaceAll(asksForDate, 'told_date'))
  const special = settings.ok ? specialTokens(settings.value) : {}
  return {
    render(messages) {
      const refuse = (why: unknown) => {
        throw new Refusal(String(why))
      }
      // Templates ask for tools and documents by name: transformers says that there are none.
      const ours = { refuse_chat: refuse, told_date: (format: unknown) => strftime(told.date, String(format)) }
      return parsed.render({ ...special, ...told.variables, messages, tools: null, documents: null, add_generation_prompt: true, ...ours })
    },
  }
}

/** `bos_token` and its like, as text: transformers gives them to a template beside the chat. */
function specialTokens(settings: JsonObject): Record<string, string> {
  const texts = Object.entries(settings).flatMap(([name, value]): [string, string][] => {
    const text = isObject(value) ? value.content : value
    return name.endsWith('_token') && typeof text === 'string' ? [[name, text]] : []
  })
  return Object.fromEntries(texts)
}
