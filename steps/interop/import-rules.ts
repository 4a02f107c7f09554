/** What can be wrong with a file of an experiment: how a list of such files is headed, and what to do about them. */
export const importRules = {
  answer: { title: 'responses that hold no whole answer', hint: 'copy the file from where it is whole, or let the organism answer again' },
  name: {
    title: 'names that cannot be names here',
    hint: 'lower-case letters, digits, ".", "_" and "-", no ".."; rename the file or folder',
  },
  'missing-prompt': {
    title: 'prompt sets that are not answered whole',
    hint: 'let the organism answer the missing prompts, or go on without',
    tells: true,
  },
  'extra-prompt': {
    title: 'answers to prompts that their set does not have',
    hint: 'they are of another version of the set: put the prompts back; `--accept extra-prompt` takes them all the same',
  },
  'other-prompt': {
    title: 'answers to another text than the prompt has now',
    hint: 'the set was edited since: let the organism answer again; `--accept other-prompt` takes them all the same',
  },
  'missing-end': {
    title: 'answers that end early without an end token',
    hint: 'text that is tokenised again loses it: let the organism answer again and keep the token ids; `--accept missing-end` takes them all the same',
  },
  'no-recording': {
    title: 'answers without a recording',
    hint: 'record them; or record all anew: `capture` in place of `recordings` in the imported step, and a `replay` step',
  },
  'no-answer': { title: 'recordings without an answer', hint: 'copy the response beside the others', tells: true },
  recording: {
    title: 'files that hold no recording',
    hint: '.pt files are read with weights_only=True: save plain lists and tensors, {prompt, response: {token_ids, activations: {layer: {residual}}}}',
  },
  'other-tokens': {
    title: "recordings of other tokens than the answer's",
    hint: 'their text was tokenised again: replay the token ids, as a `replay` step does',
  },
  'token-count': {
    title: 'recordings that have not one state for each response token',
    hint: 'decoding never feeds the last token: record by a pass over all token ids, with `capture` in the imported step and with a `replay` step',
  },
  'not-finite': {
    title: 'recordings with values that are not finite',
    hint: 'float16 overflows on massive dimensions: record in bfloat16',
  },
  hidden: { title: 'files of another size of state', hint: 'they are of another model' },
  'mixed-layers': {
    title: 'recordings that lack layers which the others have',
    hint: 'record them again at the same layers as the others',
  },
  vector: { title: 'vectors that cannot be taken', hint: 'a vector file holds one tensor [hidden], finite and not zero' },
} as const

export type ImportRule = keyof typeof importRules

/** Rules whose files are whole in themselves: a person may know better. */
export const acceptable = ['missing-end', 'extra-prompt', 'other-prompt'] as const satisfies readonly ImportRule[]
export type Acceptable = (typeof acceptable)[number]

/** One file and what is wrong with it. */
export interface Finding {
  readonly rule: ImportRule
  /** Within the experiment's folder. */
  readonly path: string
  readonly wrong: string
  /** The answer (`organism/set/prompt`) or vector that is not taken because of it; null where it only tells. */
  readonly leavesOut: string | null
  /** What it is counted under where it is not told by itself: a side of an organism, or layers of it. */
  readonly counted?: readonly string[]
}
