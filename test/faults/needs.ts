import { spawnSync } from 'node:child_process'

/** Debian's package for each program that a fault needs. */
const packages: Readonly<Record<string, string>> = {
  strace: 'strace',
  mount: 'mount',
  'mkfs.ext4': 'e2fsprogs',
  'mkfs.xfs': 'xfsprogs',
  'mkfs.btrfs': 'btrfs-progs',
}

/**
 * Why the tests of a fault cannot run here; null when they can. The reason is printed, since a test that was skipped
 * is in no count.
 */
export function lacking(what: string, needs: { readonly root?: boolean; readonly programs?: readonly string[] }): string | null {
  const reason = reasonOf(needs)
  if (reason !== null) process.stdout.write(`skipped: ${what}: ${reason}\n`)
  return reason
}

function reasonOf({ root = false, programs = [] }: { readonly root?: boolean; readonly programs?: readonly string[] }): string | null {
  if (process.platform !== 'linux') return 'it needs Linux'
  if (root && process.getuid?.() !== 0) return 'it needs root, to mount file systems'
  const missing = programs.filter((name) => spawnSync('which', [name]).status !== 0)
  if (missing.length > 0)
    return `${missing.join(', ')} not installed (on Debian: apt-get install ${missing.map((name) => packages[name]).join(' ')})`
  if (programs.includes('strace') && spawnSync('strace', ['-qq', '-o', '/dev/null', 'true']).status !== 0)
    return 'strace may not trace here'
  if (root && !canMount()) return 'mounting is not permitted here'
  return null
}

function canMount(): boolean {
  const script = 'folder=$(mktemp -d) && mount -t tmpfs none "$folder" && umount "$folder" && rmdir "$folder"'
  return spawnSync('sh', ['-c', script]).status === 0
}
