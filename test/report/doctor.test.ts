import { expect, test } from 'vitest'
import { type DoctorFacts, diagnose, doctorText } from '../../engine/report/doctor.ts'
import type { StoreFacts, Surroundings } from '../../engine/store/health/surroundings.ts'

const store: StoreFacts = {
  open: [],
  ownedByOther: false,
  heldBy: null,
  staging: { entries: 0, bytes: 0 },
  quarantine: { entries: 0, bytes: 0 },
  newestAhead: -5000,
  index: { there: true, units: 45, manifests: 45, missing: 0, unknown: 0 },
}

const healthy: DoctorFacts = {
  node: '24.21.0',
  sidecar: {
    device: 'cuda',
    memory: 85e9,
    seconds: 0.3,
    python: '/ws/.venv/bin/python',
    versions: { python: '3.12.1', torch: '2.9.0', transformers: '5.1.0', peft: '0.18.0', safetensors: '0.7.0', pyarrow: '22.0.0' },
  },
  store: {
    root: '/ws/cache',
    sqlite: '3.53.4',
    fileSystem: { type: 0xef53, freeBytes: 900e9, freeInodes: 1e7, inodes: 2e7 },
    probe: { reflink: false, directRead: true, clockAhead: 3 },
    problem: null,
    store,
  },
}

const withStore = (change: Partial<StoreFacts>): DoctorFacts => ({
  ...healthy,
  store: { ...healthy.store, store: { ...store, ...change } },
})
const around = (change: Partial<Surroundings>): DoctorFacts => ({ ...healthy, store: { ...healthy.store, ...change } })
const disk = (change: Partial<Surroundings['fileSystem']>) => around({ fileSystem: { ...healthy.store.fileSystem, ...change } })

test('where all is well each line says so', () => {
  expect(doctorText(diagnose(healthy))).toBe(`ok    node         24.21.0
ok    sqlite       3.53.4
ok    python       3.12.1 (/ws/.venv/bin/python)
ok    sidecar      answers after 0.3 s: cuda, 85.0 GB of memory; torch 2.9.0, transformers 5.1.0, peft 0.18.0
ok    file system  ext4; reflinks not possible, verify can read past the page cache
ok    disk         900 GB free
ok    inodes       10,000,000 free
ok    owner        the store is yours
ok    privacy      only its owner may read the store
ok    lock         nobody holds the store
ok    staging      nothing left over
ok    quarantine   empty
ok    index        agrees with 45 manifests; \`dag verify\` looks closer
ok    clock        agrees with the file system and the store
14 ok, 0 warn, 0 fail
`)
})

test.for([
  ['cpu', true, 'ok', 'compiled for this kind of CPU'],
  ['cuda', false, 'warn', 'not compiled: projections of recordings take up to one and a half times as long'],
  ['cpu', false, 'warn', 'not compiled: answers on this CPU and projections of recordings take up to twice as long'],
] as const)('of kernels on %s, built: %s, is said: %s', ([device, kernels, state, text]) => {
  const findings = diagnose({ ...healthy, sidecar: { ...healthy.sidecar, device, kernels } as DoctorFacts['sidecar'] })
  const remedy = state === 'warn' ? { remedy: 'install gcc and run `npm run setup`' } : {}
  expect(findings.filter(({ check }) => check === 'kernels')).toEqual([{ check: 'kernels', state, text, ...remedy }])
})

test.for<[string, DoctorFacts, string, string, string]>([
  ['an old Node', { ...healthy, node: '24.14.1' }, 'node', 'fail', 'run `npm run setup` and use `npx dag`'],
  ['an SQLite that can corrupt its log', around({ sqlite: '3.51.2' }), 'sqlite', 'fail', 'use a newer Node: it brings SQLite'],
  [
    'a sidecar that does not start',
    { ...healthy, sidecar: { problem: 'spawn ENOENT', python: '/no/python' } },
    'sidecar',
    'fail',
    'run `npm run setup`; DAG_PYTHON names another Python than /no/python',
  ],
  [
    'a sidecar without PyTorch',
    { ...healthy, sidecar: { ...healthy.sidecar, versions: { python: '3.12.1' } } as DoctorFacts['sidecar'] },
    'sidecar',
    'fail',
    'run `npm run setup`',
  ],
  ['a store in memory', disk({ type: 0x01021994 }), 'file system', 'warn', 'put the store on a disk with --store'],
  ['a store on NFS', disk({ type: 0x6969 }), 'file system', 'warn', 'put the store on a local disk with --store'],
  [
    'a folder that cannot be written to',
    around({ probe: null, problem: 'EROFS' }),
    'file system',
    'fail',
    'become its owner, or name another folder with --store',
  ],
  ['little room', disk({ freeBytes: 5e9 }), 'disk', 'warn', 'free some room: `dag gc` says what could go'],
  ['no room', disk({ freeBytes: 5e8 }), 'disk', 'fail', 'free some room: `dag gc` says what could go'],
  ['no inodes', disk({ freeInodes: 20 }), 'inodes', 'fail', 'free some room: `dag gc` says what could go'],
  [
    'a folder that others may enter',
    withStore({ open: [{ path: '/ws/cache/runs', mode: '0755' }] }),
    'privacy',
    'warn',
    'chmod go= /ws/cache/runs',
  ],
  ['files of another user', withStore({ ownedByOther: true }), 'owner', 'warn', 'run as one user, or give the store to you with chown -R'],
  [
    'damage in quarantine',
    withStore({ quarantine: { entries: 2, bytes: 1e6 } }),
    'quarantine',
    'warn',
    'check the disk that they came from with `dag verify --read-data`; `dag gc --yes` removes them',
  ],
  [
    'a broken index',
    withStore({ index: { problem: 'file is not a database' } }),
    'index',
    'fail',
    '`dag verify` makes it again from the manifests',
  ],
  [
    'a lost manifest',
    withStore({ index: { there: true, units: 45, manifests: 44, missing: 1, unknown: 0 } }),
    'index',
    'fail',
    '`dag verify` writes them anew',
  ],
  [
    'a commit that was cut off',
    withStore({ index: { there: true, units: 45, manifests: 46, missing: 0, unknown: 1 } }),
    'index',
    'warn',
    '`dag gc --yes` removes them after a day',
  ],
  [
    'a clock set back',
    withStore({ newestAhead: 3.6e6 }),
    'clock',
    'warn',
    'set the clock: ages, and which run was the last, are told by it',
  ],
])('%s is named, with what to do', ([, facts, check, state, remedy]) => {
  const unwell = diagnose(facts).filter((finding) => finding.state !== 'ok')
  expect(unwell).toEqual([{ check, state, text: expect.any(String), remedy }])
})

test('an index that is not there, a store in use and no store yet are well', () => {
  const states = (facts: DoctorFacts) => diagnose(facts).filter(({ state }) => state !== 'ok')
  expect(states(withStore({ index: { there: false, units: 0, manifests: 45, missing: 0, unknown: 0 } }))).toEqual([])
  expect(states(withStore({ heldBy: 'run 1, process 2' }))).toEqual([])
  expect(states(around({ store: null }))).toEqual([])
  expect(states(disk({ inodes: 0, freeInodes: 0 }))).toEqual([])
})
