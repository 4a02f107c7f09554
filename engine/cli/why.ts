import type { CliContext } from './context.ts'
export async function why(this: CliContext, _flags: object, _file: string, _task: string): Promise<void> {}
