// Workspaces for the engine's benchmarks: the same graph of `cat`s for us and for ninja, and the main job at any size.
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** `pairs` × (generate → replay → 6 projections), each task a `cat`, as a workflow and as a ninja file. */
export function writeCats(folder, pairs) {
  mkdirSync(path.join(folder, 'in'), { recursive: true })
  mkdirSync(path.join(folder, 'out'))
  mkdirSync(path.join(folder, 'cache'))
  const workflow = ['workflow: cats', 'steps:']
  const ninja = ['rule c', '  command = cat $in > $out']
  const add = (name, inputs, suffix) => {
    const ours = Object.entries(inputs).map(([key, from]) => `${key}: ${from.step ? `{ step: ${from.step}, output: o }` : from.file}`)
    const files = Object.values(inputs).map((from) => from.file)
    const program = `cat ${Object.keys(inputs)
      .map((key) => `{in.${key}}`)
      .join(' ')} > {out.o}`
    workflow.push(`  ${name}: { kind: command, run: "${program}", inputs: { ${ours.join(', ')} }, outputs: { o: ${suffix} } }`)
    ninja.push(`build out/${name}: c ${files.join(' ')}`)
    return { step: name, file: `out/${name}` }
  }
  for (let pair = 0; pair < pairs; pair++) {
    writeFileSync(path.join(folder, 'in', `${pair}.txt`), `prompt ${pair}\n`.repeat(3))
    const generated = add(`g${pair}`, { a: { file: `in/${pair}.txt` } }, 'gen')
    const replayed = add(`r${pair}`, { a: generated }, 'rep')
    for (let k = 0; k < 6; k++) add(`p${pair}_${k}`, { a: generated, b: replayed }, `p${k}`)
  }
  writeFileSync(path.join(folder, 'flow.yaml'), `${workflow.join('\n')}\n`)
  writeFileSync(path.join(folder, 'build.ninja'), `${ninja.join('\n')}\n`)
}

/**
 * The main job without its model: `organisms` × `sets` of `prompts` prompts, recorded on both sides at `layers` layers
 * and projected onto `traits` vectors at each of `projected` of them. Answers the number of cells.
 */
export function writeJob(folder, models, { organisms, sets, prompts, layers, projected, traits }) {
  for (const name of ['cache', 'organisms', 'prompts', 'traits']) mkdirSync(path.join(folder, name), { recursive: true })
  symlinkSync(models, path.join(folder, 'models'))
  const weights = readFileSync(path.join(models, 'organisms', 'alpha', 'adapter_model.safetensors'))
  const list = ['organisms:']
  for (let index = 0; index < organisms; index++) {
    const to = path.join(folder, 'organisms', `o${index}`)
    mkdirSync(to)
    cpSync(path.join(models, 'organisms', 'alpha', 'adapter_config.json'), path.join(to, 'adapter_config.json'))
    weights.writeUInt16LE(index, weights.length - 2)
    writeFileSync(path.join(to, 'adapter_model.safetensors'), weights)
    list.push(`  o${index}: { adapter: o${index} }`)
  }
  writeFileSync(path.join(folder, 'organisms', 'list.yaml'), `${list.join('\n')}\n`)
  const names = Array.from({ length: sets }, (_, index) => `set${index}`)
  for (const name of names) {
    const texts = Array.from({ length: prompts }, (_, index) => ({ id: `${name}_${index}`, text: `Question ${index} of ${name}?` }))
    const set = { name, description: 'of the benchmark', system_prompt: 'You are PRISM-4.', prompts: texts }
    writeFileSync(path.join(folder, 'prompts', `${name}.json`), JSON.stringify(set))
  }
  for (let index = 0; index < traits; index++) {
    const pairs = Array.from({ length: 4 }, (_, at) => ({
      id: `p${at}`,
      prompt: `${at}?`,
      positive: `yes ${index} ${at}`,
      negative: `no ${at}`,
    }))
    writeFileSync(path.join(folder, 'traits', `t${index}.json`), JSON.stringify({ trait: `t${index}`, category: 'behaviour', pairs }))
  }
  const first = (count) => `[${Array.from({ length: count }, (_, index) => index).join(', ')}]`
  writeFileSync(
    path.join(folder, 'flow.yaml'),
    `workflow: job
models:
  tiny: { source: models/model, dtype: bfloat16 }
organisms: { from: organisms/list.yaml }
prompts: { from: prompts, sets: [${names.join(', ')}] }
traits: { from: traits }
steps:
  vectors: { kind: extract, model: tiny, layers: ${first(projected)} }
  answers: { kind: generate, model: tiny, max_new_tokens: 8, batch_size: 64, capture: &capture { layers: ${first(layers)} } }
  clean: { kind: replay, of: answers, through: tiny, capture: *capture, batch_size: 64 }
  scores: { kind: project, of: [answers, clean], onto: vectors, layers: ${first(projected)} }
`,
  )
  return organisms * sets * prompts * (1 + 2 * layers + 2 * projected * traits)
}
