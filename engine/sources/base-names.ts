/**
 * Whether two names of models on a hub are clearly those of different models: of the same family, and of another size,
 * version or tuning. Who published them and how the weights are stored (`unsloth/…-bnb-4bit`, `…-GGUF`) says nothing of
 * that, and neither does what only one of the names tells. Folders and names of unknown make are never clearly others.
 */
export function isClearlyAnother(name: string, other: string): boolean {
  const [one, two] = [partsOf(name), partsOf(other)]
  if (one === null || two === null || !one.families.some((family) => two.families.includes(family))) return false
  return contradict(one.sizes, two.sizes) || contradict(one.versions, two.versions) || areTunedOtherwise(one, two)
}

interface Parts {
  readonly owner: string
  readonly families: readonly string[]
  /** `70b`, `8x7b` */
  readonly sizes: readonly string[]
  /** `3.3`, `0.2`, `2507` */
  readonly versions: readonly string[]
  readonly tuning: 'chat' | 'base' | null
}

/** Endings and prefixes that say how weights are stored, or that a copy is a copy. */
const storage =
  /\b(?:unsloth|bnb|gguf|ggml|awq|gptq|exl2|mlx|onnx|hf|meta|dynamic|dwq|quantized|quant|sharded|torchao|[2-8]bits?|int[48]|fp(?:4|8|16|32)|bf16|nf4|nvfp4|mxfp4|w\d+a\d+|i?q\d(?:_\w+)?|g\d+|\d+g)\b/g

const tunings: Readonly<Record<string, Parts['tuning']>> = { instruct: 'chat', chat: 'chat', it: 'chat', base: 'base', pt: 'base' }

/** Null for what is no name on a hub. */
function partsOf(written: string): Parts | null {
  const [owner, name] = hubName(written) ?? []
  if (owner === undefined || name === undefined) return null
  const words =
    name
      .toLowerCase()
      .replaceAll('-', ' ')
      .replaceAll('.w', ' w')
      .replace(storage, ' ')
      .match(/v?\d+(?:\.\d+)*(?:x\d+(?:\.\d+)?)?[a-z]*|[a-z]+/g) ?? []
  const figures = words.filter((word) => /\d/.test(word))
  const letters = words.filter((word) => !/\d/.test(word))
  const sizes = figures.filter((word) => /^\d.*[mbt]$/.test(word))
  return {
    owner,
    families: letters.filter((word) => word.length > 2 && !(word in tunings)),
    sizes,
    versions: figures.filter((word) => !sizes.includes(word)).map((word) => word.replace(/^v/, '')),
    tuning: letters.map((word) => tunings[word] ?? null).find((tuning) => tuning !== null) ?? null,
  }
}

/** Owner and name of a repository, also where a folder is a hub's own cache of one. */
function hubName(written: string): readonly string[] | null {
  const found = /(?:^|\/)models--([\w.-]+?)--([\w.-]+)(?:\/|$)/.exec(written) ?? /^(\w[\w.-]*)\/(\w[\w.-]*)$/.exec(written)
  return found && found.slice(1)
}

/** Both tell, and neither tells only more than the other. */
function contradict(one: readonly string[], two: readonly string[]): boolean {
  return !isWithin(one, two) && !isWithin(two, one)
}

function isWithin(some: readonly string[], all: readonly string[]): boolean {
  return some.every((word) => all.includes(word))
}

/** Nobody publishes the same weights as tuned and as not; others leave such marks out, or add them. */
function areTunedOtherwise(one: Parts, two: Parts): boolean {
  const same = (a: readonly string[], b: readonly string[]) => isWithin(a, b) && isWithin(b, a)
  const keepsNames = one.owner === two.owner || [one.owner, two.owner].includes(faithful)
  return keepsNames && one.sizes.length > 0 && same(one.sizes, two.sizes) && same(one.versions, two.versions) && one.tuning !== two.tuning
}

/** Copies models of others under the names that they have there. */
const faithful = 'unsloth'
