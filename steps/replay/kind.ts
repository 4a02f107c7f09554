import type { ParamSchema } from '../../engine/core/schema.ts'
import type { ModelSource } from '../../engine/core/sources.ts'
import type { Problem, Step, StepKind, Task } from '../../engine/core/step-kind.ts'
import { batchSizeSchema, type CaptureParams, captureSchema, captureTask, keepsNothing, layerProblems } from '../common/capture.ts'
import { answersIn, cleanReading, hasAnswers } from '../common/readings.ts'
import { aStep } from '../common/step-names.ts'

const schema: ParamSchema = {
  type: 'object',
  required: ['of', 'through', 'capture'],
  properties: {
    of: { type: 'string', description: 'The step whose answers are read again.', 'x-ref': 'step', 'x-affects': 'result' },
    through: { type: 'string', description: 'The model that reads them, with no adapter.', 'x-ref': 'model', 'x-affects': 'result' },
    capture: captureSchema,
    batch_size: batchSizeSchema,
  },
}

/** The very same token ids go through the clean model, and what it computes is recorded. */
export const replay: StepKind = {
  kind: 'replay',
  description: 'Read recorded answers through the clean model.',
  schema,
  tasks(step, { sources, step: stepNamed }) {
    const model = sources.models.get(step.params.through as string)
    if (!model) return { tasks: [], problems: [] }
    const of = stepNamed(step.params.of as string)
    const answers = answersIn(of.tasks)
    const state = { base: model, adapter: null }
    const capture = step.params.capture as unknown as CaptureParams
    const problems = [
      ...layerProblems(capture.layers, state, ['capture', 'layers']),
      ...sourceProblems(of.step, step.params.of as string, answers, model),
    ]
    const tasks = keepsNothing(step) ? [] : answers.map((task) => captureTask(cleanReading(step, task, model)))
    return { tasks, problems }
  },
  leavesWork: keepsNothing,
}

function sourceProblems(of: Step, name: string, answers: readonly Task[], model: ModelSource): Problem[] {
  if (!hasAnswers(of)) {
    return [
      {
        rule: 'not-answers',
        message: `"${name}" is ${aStep(of)} and has no answers to replay`,
        hint: 'name a generate step, or an imported one with responses',
        path: ['of'],
      },
    ]
  }
  const writer = answers[0]?.state?.base
  if (writer && writer.identity.tokenizer !== model.identity.tokenizer) {
    return [
      {
        rule: 'other-tokenizer',
        message: `model "${model.name}" has another tokenizer than "${writer.name}", which wrote the answers`,
        hint: 'token ids mean something else to it; replay through a model of the same family',
        path: ['through'],
      },
    ]
  }
  return []
}
