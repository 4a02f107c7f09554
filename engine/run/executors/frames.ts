/** Frames of the sidecar protocol: 4 bytes big-endian length, then UTF-8 JSON. */
export const maxFrameBytes = 64 * 1024 * 1024

export function encodeFrame(message: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(message))
  if (body.length > maxFrameBytes) throw new Error(`a message of ${body.length} bytes is too large for a frame`)
  const head = Buffer.alloc(4)
  head.writeUInt32BE(body.length)
  return Buffer.concat([head, body])
}

export interface FrameDecoder {
  /** @throws Error on a length that no peer of ours sends, and on text that is not JSON. */
  take(chunk: Buffer): void
  /** Where the stream is inside a frame, such as `10 of 120 bytes`; null between frames. */
  readonly unfinished: string | null
}

/** Collects bytes into messages. */
export function frameDecoder(onMessage: (message: unknown) => void): FrameDecoder {
  let parts: Buffer[] = []
  let held = 0
  let announced: number | null = null
  const joined = (): Buffer => {
    const buffer = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
    parts = [buffer]
    return buffer
  }
  return {
    get unfinished() {
      if (held === 0) return null
      return announced === null ? `${held} of the 4 bytes of its length` : `${held - 4} of ${announced} bytes`
    },
    take(chunk) {
      parts.push(chunk)
      held += chunk.length
      while (held >= 4) {
        announced ??= joined().readUInt32BE(0)
        if (announced > maxFrameBytes) throw new Error(`it announced a frame of ${announced} bytes; at most ${maxFrameBytes} are read`)
        if (held < 4 + announced) return
        const buffer = joined()
        const body = buffer.subarray(4, 4 + announced).toString('utf8')
        parts = [buffer.subarray(4 + announced)]
        held -= 4 + announced
        announced = null
        let message: unknown
        try {
          message = JSON.parse(body)
        } catch {
          throw new Error(`it sent a frame that is not JSON: ${JSON.stringify(body.slice(0, 60))}`)
        }
        onMessage(message)
      }
    },
  }
}
