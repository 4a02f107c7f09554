import type { CommandContext } from '@stricli/core'

export interface CliContext extends CommandContext {
  readonly process: NodeJS.Process
}
