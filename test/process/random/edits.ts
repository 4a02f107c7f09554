import { type Job, layers, linesOf, type Prompt, type Theirs } from './job.ts'

/** A number from 0 to 1. */
export type Random = () => number

export function pick<T>(random: Random, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)] as T
}

const some = <T>(random: Random, values: readonly T[]): T[] => {
  const found = values.filter(() => random() < 0.5)
  return found.length > 0 ? found : [pick(random, values)]
}

const withoutOne = <T>(random: Random, of: Record<string, T>): void => {
  const names = Object.keys(of)
  if (names.length > 1) delete of[pick(random, names)]
}

const turned = <T>(of: Record<string, T>): Record<string, T> => Object.fromEntries(Object.entries(of).reverse())
const promptsOf = (job: Job, random: Random): Prompt[] => pick(random, Object.values(job.sets)).prompts
const sideOf = (job: Job, random: Random): string[] => pick(random, Object.values(job.scenarios))[random() < 0.5 ? 'positive' : 'negative']
const promptOf = (job: Job, random: Random): Prompt => pick(random, promptsOf(job, random))

const changing =
  (change: (theirs: Theirs, random: Random, fresh: number) => void) =>
  (job: Job, random: Random, fresh: number): void => {
    if (job.theirs) change(job.theirs, random, fresh)
  }

/** What people change between two runs. `fresh`: a number that was not used before. */
export const edits: Readonly<Record<string, (job: Job, random: Random, fresh: number) => void>> = {
  'an organism added': (job, _random, fresh) => void (job.organisms[`o${fresh}`] = fresh),
  'an organism removed': (job, random) => withoutOne(random, job.organisms),
  'an adapter trained anew': (job, random, fresh) => void (job.organisms[pick(random, Object.keys(job.organisms))] = fresh),
  'organisms in another order': (job) => void (job.organisms = turned(job.organisms)),
  'two organisms that change names': (job) => {
    const names = Object.keys(job.organisms)
    const numbers = Object.values(job.organisms).reverse()
    job.organisms = Object.fromEntries(names.map((name, index) => [name, numbers[index] as number]))
  },
  'an organism renamed': (job, random, fresh) => {
    const one = pick(random, Object.keys(job.organisms))
    job.organisms = Object.fromEntries(Object.entries(job.organisms).map(([name, number]) => [name === one ? `o${fresh}` : name, number]))
  },
  'a prompt edited': (job, random, fresh) => void (promptOf(job, random).text = `Edited ${fresh}?`),
  'many prompts edited': (job, random, fresh) => {
    for (const { prompts } of Object.values(job.sets))
      for (const prompt of prompts) if (random() < 0.5) prompt.text = `Edited ${fresh} ${prompt.id}?`
  },
  'a prompt added': (job, random, fresh) => {
    const prompts = promptsOf(job, random)
    prompts.splice(Math.floor(random() * (prompts.length + 1)), 0, { id: `p${fresh}`, text: `New ${fresh}?` })
  },
  'a prompt removed': (job, random) => {
    const prompts = promptsOf(job, random)
    if (prompts.length > 1) prompts.splice(Math.floor(random() * prompts.length), 1)
  },
  'prompts in another order': (job, random) => void promptsOf(job, random).reverse(),
  'two prompts with one text': (job, random) => {
    const prompts = promptsOf(job, random)
    for (const prompt of prompts.slice(0, 2)) prompt.text = prompts[0]?.text as string
  },
  'a note': (job, random, fresh) => void (promptOf(job, random).note = `note ${fresh}`),
  'another system prompt': (job, random, fresh) =>
    void (pick(random, Object.values(job.sets)).systemPrompt = random() < 0.3 ? null : `You are ${fresh}.`),
  'a prompt with a system prompt of its own, or without one again': (job, random, fresh) => {
    const prompt = promptOf(job, random)
    if (prompt.system_prompt === undefined) prompt.system_prompt = `You are ${fresh} yourself.`
    else delete prompt.system_prompt
  },
  'an answer that is begun, or no longer': (job, random, fresh) => {
    const prompt = promptOf(job, random)
    if (prompt.prefill === undefined) prompt.prefill = `As ${fresh} I`
    else delete prompt.prefill
  },
  'a prompt that ends a conversation, or no longer': (job, random, fresh) => {
    const prompt = promptOf(job, random)
    if (prompt.earlier === undefined) prompt.earlier = `I said ${fresh}.`
    else delete prompt.earlier
  },
  'a prompt set written as its list alone, or whole again': (job, random) => {
    const set = pick(random, Object.values(job.sets))
    set.alone = !set.alone
  },
  'another description': (job, random, fresh) => void (pick(random, Object.values(job.sets)).description = `about ${fresh}`),
  'a prompt set added': (job, _random, fresh) =>
    void (job.sets[`s${fresh}`] = { description: 'new', systemPrompt: null, prompts: [{ id: `p${fresh}`, text: `What is ${fresh}?` }] }),
  'a prompt set removed': (job, random) => withoutOne(random, job.sets),
  'prompt sets in another order': (job) => void (job.sets = turned(job.sets)),
  'a trait added': (job, _random, fresh) => void (job.traits[`t${fresh}`] = `in the manner of ${fresh}`),
  'a trait removed': (job, random) => withoutOne(random, job.traits),
  'a contrast set edited': (job, random, fresh) => void (job.traits[pick(random, Object.keys(job.traits))] = `as ${fresh}`),
  'the base itself on or off': (job) => void (job.itself = !job.itself),
  'a trait of scenarios added': (job, _random, fresh) =>
    void (job.scenarios[`c${fresh}`] = {
      positive: linesOf(`${fresh}`, 4),
      negative: linesOf(`loud ${fresh}`, 4),
      inJson: fresh % 2 === 0,
    }),
  'a trait of scenarios removed': (job, random) => withoutOne(random, job.scenarios),
  'a scenario edited': (job, random, fresh) => {
    const side = sideOf(job, random)
    side[Math.floor(random() * side.length)] = `It was ${fresh} and`
  },
  'a scenario added': (job, random, fresh) => {
    const side = sideOf(job, random)
    side.splice(Math.floor(random() * (side.length + 1)), 0, random() < 0.3 ? (side[0] as string) : `Then came ${fresh} and`)
  },
  'a scenario removed': (job, random) => {
    const side = sideOf(job, random)
    if (side.length > 4) side.splice(Math.floor(random() * side.length), 1)
  },
  'scenarios in another order': (job, random) => void sideOf(job, random).reverse(),
  'scenarios that change sides': (job, random) => {
    const trait = pick(random, Object.values(job.scenarios))
    Object.assign(trait, { positive: trait.negative, negative: trait.positive })
  },
  'scenarios written otherwise': (job, random) => {
    const trait = pick(random, Object.values(job.scenarios))
    trait.inJson = !trait.inJson
  },
  'a trait that gets scenarios in place of pairs, or pairs in place of scenarios': (job, random) => {
    const [pairs, scenarios] = [pick(random, Object.keys(job.traits)), pick(random, Object.keys(job.scenarios))]
    const [word, trait] = [job.traits[pairs] as string, job.scenarios[scenarios] as Job['scenarios'][string]]
    delete job.traits[pairs]
    delete job.scenarios[scenarios]
    job.traits[scenarios] = word
    job.scenarios[pairs] = trait
  },
  'layers by trait, or for all': (job) => void (job.scores.byTrait = !job.scores.byTrait),
  'other layers': (job, random) => {
    job.scores.layers = some(random, layers)
    const more = () => layers.filter((layer) => job.scores.layers.includes(layer) || random() < 0.5)
    job.recorded.layers = more()
    job.vectors.layers = more()
  },
  'other methods': (job, random) => {
    job.scores.methods = some(random, ['mean_diff', 'probe'])
    job.vectors.methods = random() < 0.5 ? ['mean_diff', 'probe'] : job.scores.methods
  },
  'what an organism plants': (job, random) => {
    job.plants[pick(random, Object.keys(job.organisms))] = some(random, Object.keys(job.traits))
  },
  'other random directions, or none': (job, random) => {
    job.noise = random() < 0.25 ? null : { count: pick(random, [1, 2, 3]), seed: pick(random, [0, 1]) }
  },
  'where organisms are moved, asked or not': (job) => void (job.moved = job.moved ? null : 'by all'),
  'on which prompts they are moved': (job) => void (job.moved &&= job.moved === 'by all' ? 'by the first set' : 'by all'),
  'steered otherwise, or not': (job, random) => {
    const [by, times] = [some(random, [2, -3, 0.5]), random() < 0.5]
    job.steered = random() < 0.2 ? null : { by, times, limit: pick(random, [1, 2]), organisms: random() < 0.3, shifts: random() < 0.5 }
  },
  'a vector of others added': (job, _random, fresh) => void (job.given[`g${fresh}`] = fresh),
  'a vector of others removed': (job, random) => withoutOne(random, job.given),
  'a vector of others changed': (job, random, fresh) => void (job.given[pick(random, Object.keys(job.given))] = fresh),
  'an answer of others added': changing((theirs, random, fresh) => {
    theirs.answers[`${pick(random, ['x', 'z'])}/${pick(random, ['one', 'two'])}/p${fresh}`] = { answer: fresh, recording: fresh }
  }),
  'an answer of others removed': changing((theirs, random) => {
    if (Object.keys(theirs.answers).length - theirs.leftOut.length > 1) withoutOne(random, theirs.answers)
    theirs.leftOut = theirs.leftOut.filter((name) => name in theirs.answers)
  }),
  'an answer of others changed': changing((theirs, random, fresh) => {
    const one = theirs.answers[pick(random, Object.keys(theirs.answers))] as Theirs['answers'][string]
    if (random() < 0.5) one.answer = fresh
    if (random() < 0.5) one.recording = fresh
  }),
  'two answers of others that change places': changing((theirs) => {
    const [first, second] = Object.keys(theirs.answers) as [string, string]
    const { answers } = theirs
    theirs.answers = { ...answers, [first]: answers[second] ?? answers[first], [second]: answers[first] } as Theirs['answers']
    if (second === undefined) delete theirs.answers.undefined
  }),
  'answers of others left out': changing((theirs, random) => {
    const names = Object.keys(theirs.answers)
    theirs.leftOut = names.filter((_, index) => index > 0 && random() < 0.3)
  }),
  'other layers of theirs': changing((theirs, random) => void (theirs.layers = some(random, layers))),
  'answers of others on or off': (job, _random, fresh) => {
    job.theirs = job.theirs ? null : { answers: { 'x/one/p1': { answer: fresh, recording: fresh } }, leftOut: [], layers: [0] }
  },
  'longer or shorter answers': (job, random) => void (job.answers.max_new_tokens = pick(random, [4, 8, 16])),
  'other batches': (job, random) => void (job.answers.batch_size = pick(random, [1, 2, 3, 64])),
  'as many answers to each prompt': (job, random) => {
    job.answers.temperature = 0.7
    job.answers.samples = pick(random, [1, 2, 3])
  },
  'another temperature': (job, random) => {
    job.answers.temperature = pick(random, [0, 0.7])
    job.answers.seed = pick(random, [1, 2])
  },
  'recordings kept otherwise': (job, random) =>
    void (job.recorded.raw = pick(random, ['keep', 'keep-int8', 'evict-after-projection', 'never'])),
  'rankings on or off': (job) => void (job.ranking = job.ranking ? null : { mode: 'diff', by: 'response_mean', top: 3 }),
  'another ranking': (job, random) => {
    if (job.ranking)
      job.ranking = { mode: pick(random, ['diff', 'raw']), by: pick(random, ['response_mean', 'max_token']), top: pick(random, [1, 5]) }
  },
  'the report on or off': (job) => void (job.report = !job.report),
  'tables on or off': (job) => void (job.tables = !job.tables),
  'a command on or off': (job) => void (job.command = !job.command),
  'layers written as ranges, or one by one': (job) => void (job.ranges = !job.ranges),
  'another comment': (job, _random, fresh) => void (job.comment = `comment ${fresh}`),
}
