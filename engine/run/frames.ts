/** Frames of the sidecar protocol: 4 bytes big-endian length, then UTF-8 JSON. */
export const maxFrameBytes = 64 * 1024 * 1024

export function encodeFrame(message: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(message))
  if (body.length > maxFrameBytes) throw new Error(`a message of ${body.length} bytes is too large for a frame`)
  const head = Buffer.alloc(4)
  head.writeUInt32BE(body.length)
  return Buffer.concat([head, body])
}

/** Collects bytes into messages. Throws on a length that no peer of ours sends, and on text that is not JSON. */
export function frameDecoder(onMessage: (message: unknown) => void): (chunk: Buffer) => void {
  let parts: Buffer[] = []
  let held = 0
  return (chunk) => {
    parts.push(chunk)
    held += chunk.length
    while (held >= 4) {
      const buffer = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
      parts = [buffer]
      const length = buffer.readUInt32BE(0)
      if (length > maxFrameBytes) throw new Error(`the sidecar announced a frame of ${length} bytes; at most ${maxFrameBytes} are read`)
      if (held < 4 + length) return
      const body = buffer.subarray(4, 4 + length).toString('utf8')
      parts = [buffer.subarray(4 + length)]
      held -= 4 + length
      let message: unknown
      try {
        message = JSON.parse(body)
      } catch {
        throw new Error(`the sidecar sent a frame that is not JSON: ${JSON.stringify(body.slice(0, 60))}`)
      }
      onMessage(message)
    }
  }
}
