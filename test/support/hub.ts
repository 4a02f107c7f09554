import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { onTestFinished } from 'vitest'

/** A hub on this machine that serves folders as repositories, in the form of huggingface_hub's two routes. */
export interface Hub {
  readonly env: Readonly<Record<string, string>>
  /** Every request so far, e.g. `GET /api/models/me/tiny/revision/0123…`. */
  readonly asked: string[]
  /** Tokens that came along. */
  readonly tokens: Set<string>
}

interface HubOptions {
  /** Folder of each repository `OWNER/NAME`. */
  readonly repositories: Readonly<Record<string, string>>
  readonly revision: string
  /** Changes what is sent of a file, for damage on the way. */
  sent?(name: string, bytes: Buffer): Buffer
  readonly gated?: string
}

/** Files larger than this are in large file storage, known by SHA-256; the others are git's own. */
const large = 100_000

export async function startHub({ repositories, revision, sent = (_name, bytes) => bytes, gated }: HubOptions): Promise<Hub> {
  const asked: string[] = []
  const tokens = new Set<string>()
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const url = decodeURIComponent((request.url ?? '').split('?')[0] as string)
    asked.push(`${request.method} ${url}`)
    if (request.headers.authorization) tokens.add(request.headers.authorization)
    const [, repository = '', named = 'main', file] =
      /^\/api\/models\/([^/]+\/[^/]+)(?:\/revision\/([\w.-]+))?$/.exec(url) ?? /^\/([^/]+\/[^/]+)\/resolve\/(\w+)\/(.+)$/.exec(url) ?? []
    const folder = repositories[repository]
    if (!folder) return refuse(response, 404, 'RepoNotFound')
    if (repository === gated) return refuse(response, 403, 'GatedRepo')
    // The default branch is at the one commit that there is.
    const commit = named === 'main' ? revision : named
    if (commit !== revision) return refuse(response, 404, 'RevisionNotFound')
    if (file === undefined) return sendJson(response, listing(repository, folder, revision))
    const bytes = readFileSync(path.join(folder, file))
    response.writeHead(200, { 'x-repo-commit': revision, etag: `"${etag(bytes)}"`, 'content-length': bytes.length })
    response.end(request.method === 'HEAD' ? undefined : sent(file, bytes))
  }
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())))
  return { env: { HF_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }, asked, tokens }
}

function listing(id: string, folder: string, sha: string) {
  const siblings = readdirSync(folder).map((rfilename) => {
    const bytes = readFileSync(path.join(folder, rfilename))
    const lfs = bytes.length > large ? { lfs: { sha256: sha256(bytes), size: bytes.length, pointerSize: 130 } } : {}
    return { rfilename, size: bytes.length, blobId: gitBlob(bytes), ...lfs }
  })
  return { _id: '0', id, sha, private: false, tags: [], downloads: 0, likes: 0, siblings }
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const gitBlob = (bytes: Buffer) => createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
const etag = (bytes: Buffer) => (bytes.length > large ? sha256(bytes) : gitBlob(bytes))

function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify(value))
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'x-error-code': code, 'x-error-message': code })
  response.end()
}
