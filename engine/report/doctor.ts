import { isOlder } from '../core/version.ts'
import type { IndexFacts, StoreFacts, Surroundings } from '../store/health/surroundings.ts'
import { formatBytes, formatCount, formatDuration, formatNumberOf } from '../core/format.ts'
import { sanitizeLine } from './sanitize.ts'

/** One thing that was looked at, and what to do when it is not as it should be. */
export interface Finding {
  readonly check: string
  readonly state: 'ok' | 'warn' | 'fail'
  readonly text: string
  readonly remedy?: string
}

/** How the sidecar answered `hello`, or why it did not. */
export type SidecarFacts =
  | {
      readonly device: string
      readonly memory: number
      readonly versions: Readonly<Record<string, string>>
      readonly kernels?: boolean
      readonly seconds: number
      readonly python: string
    }
  | { readonly problem: string; readonly python: string }

export interface DoctorFacts {
  readonly node: string
  readonly sidecar: SidecarFacts
  readonly store: Surroundings
}

const oldest = { node: [24, 15], sqlite: [3, 51, 3], python: [3, 11] } as const

/** Judges what was found. */
export function diagnose({ node, sidecar, store }: DoctorFacts): Finding[] {
  return [
    isOlder(node, oldest.node)
      ? { check: 'node', state: 'fail', text: `${node}; 24.15 or newer is needed`, remedy: 'run `npm run setup` and use `npx dag`' }
      : { check: 'node', state: 'ok', text: node },
    isOlder(store.sqlite, oldest.sqlite)
      ? {
          check: 'sqlite',
          state: 'fail',
          text: `${store.sqlite} can corrupt the index; 3.51.3 or newer is needed`,
          remedy: 'use a newer Node: it brings SQLite',
        }
      : { check: 'sqlite', state: 'ok', text: store.sqlite },
    ...sidecarFindings(sidecar),
    fileSystemFinding(store),
    ...roomFindings(store),
    ...(store.store ? storeFindings(store.store) : [{ check: 'store', state: 'ok', text: `none yet in ${store.root}` } as const]),
    clockFinding(store),
  ]
}

function sidecarFindings(sidecar: SidecarFacts): Finding[] {
  if ('problem' in sidecar) {
    const remedy = `run \`npm run setup\`; DAG_PYTHON names another Python than ${sidecar.python}`
    return [{ check: 'sidecar', state: 'fail', text: sanitizeLine(sidecar.problem), remedy }]
  }
  const { device, memory, versions, kernels, seconds } = sidecar
  const { python = 'of unknown version', ...packages } = versions
  const named = ['torch', 'transformers', 'peft'].map((name) => `${name} ${packages[name] ?? 'missing'}`).join(', ')
  const missing = ['torch', 'transformers', 'peft', 'safetensors', 'pyarrow'].filter((name) => !packages[name])
  return [
    isOlder(python, oldest.python)
      ? {
          check: 'python',
          state: 'fail',
          text: `${python}; 3.11 or newer is needed`,
          remedy: 'name another with DAG_PYTHON, or run `npm run setup`',
        }
      : { check: 'python', state: 'ok', text: `${python} (${sidecar.python})` },
    missing.length > 0
      ? { check: 'sidecar', state: 'fail', text: `lacks ${missing.join(', ')}`, remedy: 'run `npm run setup`' }
      : {
          check: 'sidecar',
          state: 'ok',
          text: `answers after ${formatDuration(seconds)}: ${device}, ${formatBytes(memory)} of memory; ${named}`,
        },
    ...(kernels === undefined ? [] : [kernelsFinding(kernels, device)]),
  ]
}

function kernelsFinding(built: boolean, device: string): Finding {
  const check = 'kernels'
  if (built) return { check, state: 'ok', text: 'compiled for this kind of CPU' }
  const answers = device === 'cpu' ? 'answers on this CPU and ' : ''
  const text = `not compiled: ${answers}projections of recordings take up to ${device === 'cpu' ? 'twice' : 'one and a half times'} as long`
  return { check, state: 'warn', text, remedy: 'install gcc and run `npm run setup`' }
}

/** File systems by the kernel's numbers; those that keep no promise say what to do instead. */
const fileSystems: Readonly<Record<number, { readonly name: string; readonly warning?: readonly [string, string] }>> = {
  0xef53: { name: 'ext4' },
  0x58465342: { name: 'XFS' },
  0x9123683e: { name: 'btrfs' },
  0x2fc12fc1: { name: 'ZFS' },
  0x01021994: { name: 'tmpfs', warning: ['is in memory: it is gone after a restart', 'put the store on a disk with --store'] },
  0x858458f6: { name: 'ramfs', warning: ['is in memory: it is gone after a restart', 'put the store on a disk with --store'] },
  0x794c7630: { name: 'overlayfs', warning: ['goes with its container', 'mount a volume and put the store there with --store'] },
  0x6969: { name: 'NFS', warning: ['may not keep the lock and the index safe', 'put the store on a local disk with --store'] },
  0xff534d42: { name: 'CIFS', warning: ['may not keep the lock and the index safe', 'put the store on a local disk with --store'] },
  0xfe534d42: { name: 'SMB', warning: ['may not keep the lock and the index safe', 'put the store on a local disk with --store'] },
  0x01021997: { name: '9p', warning: ['may not keep the lock and the index safe', 'put the store on a local disk with --store'] },
  0x65735546: { name: 'FUSE', warning: ['may not keep the lock and the index safe', 'put the store on a local disk with --store'] },
}

function fileSystemFinding({ root, fileSystem, probe, problem }: Surroundings): Finding {
  if (!probe)
    return {
      check: 'file system',
      state: 'fail',
      text: `${root} cannot be written to: ${problem}`,
      remedy: 'become its owner, or name another folder with --store',
    }
  const known = fileSystems[fileSystem.type]
  const name = known?.name ?? `of type 0x${fileSystem.type.toString(16)}`
  const abilities = `reflinks ${probe.reflink ? 'possible' : 'not possible'}, ${probe.directRead ? 'verify can read past the page cache' : 'verify cannot read past the page cache'}`
  if (!known?.warning) return { check: 'file system', state: 'ok', text: `${name}; ${abilities}` }
  return { check: 'file system', state: 'warn', text: `${name} ${known.warning[0]}; ${abilities}`, remedy: known.warning[1] }
}

/** A run starts nothing with less than this beside its results. */
const least = { bytes: 1e9, inodes: 1000 }
const comfortable = { bytes: 10e9, inodes: 50_000 }

function roomFindings({ fileSystem: { freeBytes, freeInodes, inodes } }: Surroundings): Finding[] {
  const remedy = 'free some room: `dag gc` says what could go'
  const level = (free: number, what: 'bytes' | 'inodes') => (free < least[what] ? 'fail' : free < comfortable[what] ? 'warn' : 'ok')
  const finding = (check: string, state: Finding['state'], text: string): Finding =>
    state === 'ok' ? { check, state, text } : { check, state, text, remedy }
  return [
    finding('disk', level(freeBytes, 'bytes'), `${formatBytes(freeBytes)} free`),
    inodes === 0
      ? { check: 'inodes', state: 'ok', text: 'not counted by this file system' }
      : finding('inodes', level(freeInodes, 'inodes'), `${formatCount(freeInodes)} free`),
  ]
}

function storeFindings(store: StoreFacts): Finding[] {
  const { open, heldBy, staging, quarantine } = store
  return [
    permissionsFinding(store),
    open.length > 0
      ? {
          check: 'privacy',
          state: 'warn',
          text: `others may read ${open.map(({ path, mode }) => `${path} (${mode})`).join(', ')}`,
          remedy: `chmod go= ${open.map(({ path }) => path).join(' ')}`,
        }
      : { check: 'privacy', state: 'ok', text: 'only its owner may read the store' },
    { check: 'lock', state: 'ok', text: heldBy === null ? 'nobody holds the store' : `in use by ${heldBy}` },
    {
      check: 'staging',
      state: 'ok',
      text:
        staging.entries === 0 || heldBy !== null
          ? 'nothing left over'
          : `${formatNumberOf(staging.entries, 'folder')} of ended runs (${formatBytes(staging.bytes)}); the next run removes them`,
    },
    quarantine.entries === 0
      ? { check: 'quarantine', state: 'ok', text: 'empty' }
      : {
          check: 'quarantine',
          state: 'warn',
          text: `${formatNumberOf(quarantine.entries, 'damaged file')} (${formatBytes(quarantine.bytes)})`,
          remedy: 'check the disk that they came from with `dag verify --read-data`; `dag gc --yes` removes them',
        },
    indexFinding(store.index),
  ]
}

function permissionsFinding({ ownedByOther }: StoreFacts): Finding {
  if (!ownedByOther) return { check: 'owner', state: 'ok', text: 'the store is yours' }
  return {
    check: 'owner',
    state: 'warn',
    text: 'parts of the store belong to another user',
    remedy: 'run as one user, or give the store to you with chown -R',
  }
}

function indexFinding(index: IndexFacts | { readonly problem: string }): Finding {
  const check = 'index'
  if ('problem' in index)
    return { check, state: 'fail', text: sanitizeLine(index.problem), remedy: '`dag verify` makes it again from the manifests' }
  const { there, units, manifests, missing, unknown } = index
  if (!there && manifests > 0)
    return { check, state: 'ok', text: `not there: the next command makes it from ${formatNumberOf(manifests, 'manifest')}` }
  if (missing > 0)
    return {
      check,
      state: 'fail',
      text: `names ${formatNumberOf(missing, 'manifest')} of ${formatCount(units)} that are gone`,
      remedy: '`dag verify` writes them anew',
    }
  if (unknown > 0)
    return {
      check,
      state: 'warn',
      text: `${formatNumberOf(unknown, 'manifest')} unknown to it, of a commit that was cut off`,
      remedy: '`dag gc --yes` removes them after a day',
    }
  return { check, state: 'ok', text: `agrees with ${formatNumberOf(units, 'manifest')}; \`dag verify\` looks closer` }
}

const clockSlack = 60_000

function clockFinding({ probe, store }: Surroundings): Finding {
  const check = 'clock'
  const remedy = 'set the clock: ages, and which run was the last, are told by it'
  const ahead = store?.newestAhead ?? 0
  if (ahead > clockSlack)
    return { check, state: 'warn', text: `the newest batch was made ${formatDuration(ahead / 1000)} from now`, remedy }
  const skew = probe?.clockAhead ?? 0
  if (Math.abs(skew) > clockSlack)
    return {
      check,
      state: 'warn',
      text: `the file system's clock is ${formatDuration(Math.abs(skew) / 1000)} ${skew > 0 ? 'ahead' : 'behind'}`,
      remedy,
    }
  return { check, state: 'ok', text: 'agrees with the file system and the store' }
}

/** One line a finding, with its remedy under it. */
export function doctorText(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length))
  const lines = findings.flatMap(({ check, state, text, remedy }) => [
    `${state.padEnd(4)}  ${check.padEnd(width)}  ${text}`,
    ...(remedy ? [`      ${' '.repeat(width)}  → ${remedy}`] : []),
  ])
  const count = (state: Finding['state']) => findings.filter((finding) => finding.state === state).length
  return `${[...lines, `${count('ok')} ok, ${count('warn')} warn, ${count('fail')} fail`].join('\n')}\n`
}
