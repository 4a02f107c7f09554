import { expect, test } from 'vitest'
import { dag } from '../support/dag.ts'
import { freshWorkspace, workflowFile } from '../support/workspace.ts'

test('before a night in int8 it is said that rows depend on those beside them; not so in nf4', async () => {
  const workspace = freshWorkspace()
  const line = '  tiny: { source: ../models/model, dtype: bfloat16 }'
  const planned = async (quantization: string) => {
    const text = workspace.read(workflowFile)
    workspace.write(workflowFile, text.replace(line, line.replace(' }', `, device: cuda, quantization: ${quantization} }`)))
    const { code, stderr } = await dag(workspace.folder, ['plan', workflowFile])
    workspace.write(workflowFile, text)
    return [code, stderr]
  }
  expect(await planned('nf4')).toEqual([0, ''])
  expect(await planned('int8')).toEqual([
    0,
    `workflows/audit.yaml:3:81: warning: in int8, what model "tiny" makes of a prompt depends on those beside it in a batch [quantization]
  3 |   tiny: { source: ../models/model, dtype: bfloat16, device: cuda, quantization: int8 }
    |                                                                                 ^^^^
  hint: nf4 has no such dependence but rounding (docs/backends.md)

`,
  ])
})

test('few bits on a device that they do not run on are refused before anything is planned', async () => {
  const workspace = freshWorkspace()
  workspace.edit(workflowFile, 'dtype: bfloat16 }', 'dtype: bfloat16, quantization: nf4 }')
  const { code, stderr } = await dag(workspace.folder, ['plan', workflowFile])
  expect([code, stderr]).toEqual([
    2,
    `workflows/audit.yaml:3:67: error: model "tiny" is to be quantized to nf4 on cpu, and such weights run on cuda only [quantization]
  3 |   tiny: { source: ../models/model, dtype: bfloat16, quantization: nf4 }
    |                                                                   ^^^
  hint: write \`device: cuda\`, or leave the quantization out

1 error; nothing was started
`,
  ])
})
