import type { Axes } from '../../engine/core/step-kind.ts'

/**
 * What one of several answers to a prompt is called. The first has the prompt's own name, so that one answer is the
 * first of many; no prompt has a `+` in its name.
 */
export function sampleId(prompt: string, sample: number): string {
  return sample === 1 ? prompt : `${prompt}+${sample}`
}

/** How far an answer is steered along which direction, `trait@layer:method`. */
export interface Steered {
  readonly direction: string
  readonly amount: number
  /** So many times as far as what the direction was made of lies apart; else in the unit of projections. */
  readonly times: boolean
}

/** How far: `40`, or `1.5x`. */
export function amountOf({ amount, times }: Pick<Steered, 'amount' | 'times'>): string {
  return `${amount}${times ? 'x' : ''}`
}

/** What the answer to a prompt is called that is steered; no prompt and no direction has a `~` in its name. */
export function steeredId(prompt: string, steered: Steered): string {
  return `${prompt}~${steered.direction}~${amountOf(steered)}`
}

const steeredName = /^(?<prompt>[^~]*)~(?<direction>[^~]*)~(?<amount>[^~]*)$/

/** The prompt that an answer is to, and how it is steered, null where it is not. */
export function steeredOf(answer: string): { readonly prompt: string; readonly steered: Steered | null } {
  const { prompt = answer, direction, amount = '' } = steeredName.exec(answer)?.groups ?? {}
  if (direction === undefined) return { prompt, steered: null }
  return { prompt, steered: { direction, amount: Number.parseFloat(amount), times: amount.endsWith('x') } }
}

/** Axes with the prompt that an answer is to; which of its answers it is where that is not the first, and how it is steered. */
export function byAnswer(axes: Axes): Axes {
  const answer = axes.prompt ?? ''
  const [, prompt, sample] = /^(.*)\+(\d+)$/.exec(answer) ?? []
  if (prompt !== undefined && sample !== undefined) return { ...axes, prompt, sample }
  return { ...axes, ...steeredName.exec(answer)?.groups }
}
