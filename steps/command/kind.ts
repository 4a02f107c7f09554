import type { Json } from '../../engine/core/json.ts'
import { namePattern } from '../../engine/core/names.ts'
import type { ParamSchema } from '../../engine/core/schema.ts'
import type {
  CellOutput,
  CellSpec,
  CommandSpec,
  ExpandContext,
  Inputs,
  Operation,
  Problem,
  Step,
  StepKind,
} from '../../engine/core/step-kind.ts'
import { paramOrigin, paramOrigins } from '../common/origins.ts'

const schema: ParamSchema = {
  type: 'object',
  required: ['run', 'outputs'],
  properties: {
    run: {
      description: 'Program and arguments; a single text is given to a shell. {in.NAME} and {out.NAME} stand for the files.',
      anyOf: [
        { type: 'array', items: { type: 'string' }, minItems: 1 },
        { type: 'string', minLength: 1 },
      ],
      'x-affects': 'result',
    },
    inputs: {
      type: 'object',
      description: 'What it reads: a file, or an output of another command.',
      propertyNames: { type: 'string', pattern: namePattern },
      additionalProperties: {
        anyOf: [
          { type: 'string', minLength: 1, 'x-ref': 'file' },
          {
            type: 'object',
            required: ['step', 'output'],
            additionalProperties: false,
            properties: { step: { type: 'string', 'x-ref': 'step' }, output: { type: 'string' } },
          },
        ],
      },
      default: {},
      'x-affects': 'result',
    },
    outputs: {
      type: 'object',
      description: 'What it writes: a file name for each output.',
      minProperties: 1,
      propertyNames: { type: 'string', pattern: namePattern },
      additionalProperties: { type: 'string', pattern: namePattern },
      'x-affects': 'result',
    },
    env: {
      type: 'object',
      additionalProperties: { type: 'string' },
      default: {},
      description: 'Environment it is given, beside PATH, HOME and LANG.',
      'x-affects': 'result',
    },
    version: {
      type: 'integer',
      minimum: 1,
      default: 1,
      description: 'Raise it when the program changed and is not itself an input.',
      'x-affects': 'result',
    },
  },
}

type InputParam = string | { readonly step: string; readonly output: string }

/** Any program with declared inputs and outputs, cached like the rest. */
export const command: StepKind = {
  kind: 'command',
  description: 'Run any program with declared inputs and outputs.',
  schema,
  tasks(step, context) {
    const inputs = Object.entries(step.params.inputs as Record<string, InputParam>)
    const problems = [
      ...inputs.flatMap(([name, input]) => inputProblems(name, input, context)),
      ...outputProblems(step.params.outputs as Record<string, string>),
      ...placeholderProblems(step),
    ]
    const steps = inputs.flatMap(([name, input]) =>
      typeof input === 'string' ? [] : context.step(input.step).tasks.map((task) => ({ task: task.id, role: name })),
    )
    const files = inputs.flatMap(([name, input]) => {
      const file = typeof input === 'string' ? context.files.get(input) : undefined
      return file ? [[name, file] as const] : []
    })
    const task = {
      id: step.name,
      step: step.name,
      stage: step.name,
      row: step.name,
      coordinate: {},
      operation: commandOperation,
      parents: steps,
      state: null,
      shared: {
        run: step.params.run as Json,
        env: step.params.env as Json,
        command_version: step.params.version as Json,
        files: Object.fromEntries(files.map(([name, file]) => [name, file.digest])),
      },
      data: {
        outputs: step.params.outputs as Json,
        picks: Object.fromEntries(inputs.flatMap(([name, input]) => (typeof input === 'string' ? [] : [[name, input.output]]))),
      },
      tuning: { paths: Object.fromEntries(files.map(([name, file]) => [name, file.path])) },
      origins: {
        ...paramOrigins(step, ['run', 'env']),
        command_version: paramOrigin(step.name, 'version'),
        output: paramOrigin(step.name, 'outputs'),
        file: paramOrigin(step.name, 'outputs'),
        ...Object.fromEntries(
          inputs.flatMap(([name, input]) => (typeof input === 'string' ? [[`files.${name}`, { from: 'file' as const, name: input }]] : [])),
        ),
      },
    }
    return { tasks: [task], problems }
  },
}

function inputProblems(name: string, input: InputParam, context: ExpandContext): Problem[] {
  if (typeof input === 'string') return []
  const { step } = context.step(input.step)
  if (step.kind !== 'command') {
    const message = `input "${name}" reads step "${input.step}", a ${step.kind} step, whose results are no files`
    return [{ rule: 'not-files', message, hint: 'only outputs of command steps can be read', path: ['inputs', name, 'step'] }]
  }
  const outputs = Object.keys(step.params.outputs as object)
  if (outputs.includes(input.output)) return []
  const message = `step "${input.step}" has no output "${input.output}"`
  return [{ rule: 'unknown-output', message, hint: `it has: ${outputs.join(', ')}`, path: ['inputs', name, 'output'] }]
}

/** Each output is a file of its own. */
function outputProblems(outputs: Readonly<Record<string, string>>): Problem[] {
  const entries = Object.entries(outputs)
  return entries.flatMap(([name, file], index): Problem[] => {
    const [other] = entries.slice(0, index).find((entry) => entry[1] === file) ?? []
    if (other === undefined) return []
    const message = `its outputs "${other}" and "${name}" are both the file ${file}`
    return [{ rule: 'same-file', message, hint: 'give each a file name of its own', path: ['outputs', name] }]
  })
}

const placeholder = /\{(in|out)\.([^{}]*)\}/g

function placeholderProblems(step: Step): Problem[] {
  const known = { in: Object.keys(step.params.inputs as object), out: Object.keys(step.params.outputs as object) }
  return [step.params.run].flat().flatMap((argument) =>
    [...(argument as string).matchAll(placeholder)].flatMap(([text, side, name]): Problem[] => {
      const names = known[side as 'in' | 'out']
      if (names.includes(name as string)) return []
      const noun = side === 'in' ? 'input' : 'output'
      return [
        {
          rule: 'unknown-placeholder',
          message: `${text} names no ${noun} of this step`,
          hint: `it has: ${names.join(', ') || 'none'}`,
          path: ['run'],
        },
      ]
    }),
  )
}

const commandOperation: Operation = {
  name: 'command',
  version: 1,
  counts: { noun: 'outputs', by: 'cell' },
  axes: (cell) => ({ output: cell }),
  cells(task, inputs) {
    const picked = pickedInputs(task.data.picks as Record<string, string>, inputs)
    const known = Object.values(picked).every((output) => output !== null)
    const digests = Object.fromEntries(Object.entries(picked).map(([name, output]) => [name, output?.digest ?? null]))
    return Object.entries(task.data.outputs as Record<string, string>).map(
      ([name, file]): CellSpec => ({
        id: name,
        group: 'run',
        own: known ? { output: name, file, inputs: digests } : null,
        inputs: known ? Object.values(picked).filter((output) => output !== null) : [],
      }),
    )
  },
  batches: (_task, _inputs, groups) => [[...groups]],
  cost: () => ({ decodeTokens: 0, prefillTokens: 0, depth: 0, bytes: 0 }),
  runs: {
    on: 'command',
    command(task, inputs): CommandSpec {
      const outputs = task.data.outputs as Record<string, string>
      const fill = (text: string) =>
        text.replaceAll(placeholder, (_text, side: string, name: string) => (side === 'in' ? `in/${name}` : `out/${outputs[name]}`))
      const { run, env } = task.shared as { run: string | string[]; env: Record<string, string> }
      const files = Object.entries(task.tuning.paths as Record<string, string>).map(([name, file]) => [
        name,
        { file, digest: (task.shared.files as Record<string, string>)[name] as string },
      ])
      const picked = Object.entries(pickedInputs(task.data.picks as Record<string, string>, inputs)) as [string, CellOutput][]
      return {
        argv: [run].flat().map(fill),
        shell: typeof run === 'string',
        env,
        inputs: Object.fromEntries([...files, ...picked]),
        outputs: Object.fromEntries(Object.entries(outputs).map(([name, file]) => [name, `out/${file}`])),
      }
    },
  },
  folder: (task) => `outputs/${task.step}`,
}

function pickedInputs(picks: Readonly<Record<string, string>>, inputs: Inputs): Record<string, CellOutput | null> {
  return Object.fromEntries(Object.entries(picks).map(([name, output]) => [name, inputs.of(name)[0]?.cell(output)?.output ?? null]))
}
