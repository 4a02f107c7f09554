import type { Json } from '../../engine/core/json.ts'
import { pretty } from './written.ts'

/** What a step says of each organism, a text below each heading, for a page that shows it beside other things. */
export interface ToldOfOrganisms {
  readonly head: readonly string[]
  readonly organisms: readonly { readonly organism: string; readonly texts: readonly string[] }[]
}

/** The kinds of step that say it, each with the operation that does. */
export const tellingKinds: ReadonlyMap<string, string> = new Map([
  ['compare', 'compare'],
  ['logit_lens', 'logit-lens-summary'],
  ['steer', 'steer-effects'],
])

const file = 'organisms.json'

/** The file it stands in; none where nothing is said of organisms. */
export function toldFile(told: ToldOfOrganisms): Readonly<Record<string, string>> {
  return told.organisms.length > 0 ? { [file]: pretty(told as unknown as Json) } : {}
}

/** What files of such an operation say; null where they say nothing. */
export function toldIn(files: Readonly<Record<string, string>>): ToldOfOrganisms | null {
  const text = files[file]
  return text === undefined ? null : (JSON.parse(text) as ToldOfOrganisms)
}
