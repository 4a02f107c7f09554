/** An error that the sidecar reports. `kind` is one of docs/sidecar-protocol.md. */
export class SidecarError extends Error {
  readonly kind: string
  readonly digest: string | null
  constructor(message: string, kind: string, digest: string | null) {
    super(message)
    this.name = 'SidecarError'
    this.kind = kind
    this.digest = digest
  }
}

/** How the sidecar came to its end, and what a person may do about it. */
export interface HowEnded {
  readonly how: string
  readonly advice: string | null
  /** Whether a kernel that is out of memory ends a process like this. */
  readonly forMemory?: boolean
}

/** The sidecar ended, or had to be ended, while an answer was due. Another one may do better. */
export class SidecarEnded extends Error {
  readonly end: HowEnded
  readonly lastLines: readonly string[]
  constructor(end: HowEnded, lastLines: readonly string[]) {
    super(endedText(end, '', lastLines))
    this.name = 'SidecarEnded'
    this.end = end
    this.lastLines = lastLines
  }
}

/** This sidecar cannot be used at all: trying again would not help. */
export class SidecarUnusable extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'SidecarUnusable'
  }
}

/** Whether an error is the sidecar's, and no mistake of this program. */
export function isOfSidecar(error: unknown): error is Error {
  return error instanceof SidecarError || error instanceof SidecarEnded || error instanceof SidecarUnusable
}

/** `which` says how often, and whether a batch or the start was tried. */
export function endedText({ how, advice }: HowEnded, which: string, lastLines: readonly string[]): string {
  const lines = [`the sidecar ${how}${which}`]
  if (advice) lines.push(advice)
  if (lastLines.length > 0) lines.push('its last words:', ...lastLines)
  return lines.join('\n')
}

const memory = 'if it was the kernel for want of memory (`dmesg` says so), take a smaller batch_size'

/** From what the operating system says of its end. `unfinished` is where in a frame its stream stopped. */
export function howItEnded(code: number | null, signal: string | null, unfinished: string | null): HowEnded {
  const where = unfinished ? `, in the middle of a frame (${unfinished})` : ''
  const forMemory = signal === 'SIGKILL' || code === 137
  const how = signal ? `was ended by ${signal}${where}` : `ended with exit code ${code}${where}`
  return { how, advice: forMemory ? memory : null, forMemory }
}
