import type { Chat } from '../../core/chat.ts'
import type { Sources } from '../../core/sources.ts'
import type { Step, StepKind } from '../../core/step-kind.ts'

/** What a step has models read within their chat templates. */
export function chatsOf(step: Step, kinds: readonly StepKind[], sources: Sources): readonly Chat[] {
  return kinds.find(({ kind }) => kind === step.kind)?.chats?.(step, sources) ?? []
}
