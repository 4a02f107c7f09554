import type { Axes } from '../../engine/core/step-kind.ts'

/**
 * What one of several answers to a prompt is called. The first has the prompt's own name, so that one answer is the
 * first of many; no prompt has a `+` in its name.
 */
export function sampleId(prompt: string, sample: number): string {
  return sample === 1 ? prompt : `${prompt}+${sample}`
}

/** Axes with the prompt that an answer is to, and which of its answers it is where that is not the first. */
export function bySample(axes: Axes): Axes {
  const [, prompt, sample] = /^(.*)\+(\d+)$/.exec(axes.prompt ?? '') ?? []
  return prompt === undefined || sample === undefined ? axes : { ...axes, prompt, sample }
}
