import type { CliContext } from './context.ts'
export async function lineage(this: CliContext, _flags: object, _artifact: string): Promise<void> {}
