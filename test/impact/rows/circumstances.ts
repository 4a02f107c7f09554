import { spawnSync } from 'node:child_process'
import { chownSync, lutimesSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import operations from '../../../steps/fingerprints.json' with { type: 'json' }
import { kinds } from '../../../steps/index.ts'
import type { Workspace } from '../../support/workspace.ts'
import { afterAnswers, afterRankings, afterVectors } from '../follows.ts'
import { all, ownModels, type Circumstances, type Row } from '../row.ts'

/** The kinds with one operation at its next version. */
function raised(name: string): Circumstances {
  return {
    kinds: kinds.map((kind) => ({
      ...kind,
      tasks(step, context) {
        const { tasks, problems } = kind.tasks(step, context)
        const raise = (task: (typeof tasks)[number]) =>
          task.operation.name === name ? { ...task, operation: { ...task.operation, version: task.operation.version + 1 } } : task
        return { tasks: tasks.map(raise), problems }
      },
    })),
  }
}

const raise = (name: string) => () => raised(name)

/** The reason that is printed for an operation's next version. */
function next(name: keyof typeof operations): string {
  const { version } = operations[name]
  return `version: ${version} → ${version + 1}`
}

export const versionRows: readonly Row[] = [
  { of: 'version of generate', edit: 'raised', change: raise('generate'), made: { answers: [18, next('generate')] }, follow: afterAnswers },
  {
    of: 'version of capture',
    edit: 'raised',
    change: raise('capture'),
    made: { 'answers.capture': [36, next('capture')], clean: [36, next('capture')] },
    follow: { scores: 72, ranking: 5, 'report.answers': 6, report: 1 },
  },
  { of: 'version of extract', edit: 'raised', change: raise('extract'), made: { vectors: [8, next('extract')] }, follow: afterVectors },
  {
    of: 'version of elicit',
    edit: 'raised',
    workflow: 'elicited',
    change: raise('elicit'),
    made: { 'moods.answers': [9, next('elicit')] },
    follow: { moods: 1 },
  },
  { of: 'version of contrast', edit: 'raised', workflow: 'elicited', change: raise('contrast'), made: { moods: [1, next('contrast')] } },
  { of: 'version of adopt', edit: 'raised', workflow: 'variants', change: raise('adopt'), made: { given: [1, next('adopt')] } },
  { of: 'version of random', edit: 'raised', workflow: 'variants', change: raise('random'), made: { noise: [1, next('random')] } },
  {
    of: 'version of shift',
    edit: 'raised',
    workflow: 'variants',
    change: raise('shift'),
    made: { moved: [1, next('shift')] },
    follow: { alike: 1, spoken: 2 },
  },
  { of: 'version of compare', edit: 'raised', workflow: 'variants', change: raise('compare'), made: { alike: [1, next('compare')] } },
  {
    of: 'version of logit-lens',
    edit: 'raised',
    workflow: 'variants',
    change: raise('logit-lens'),
    made: { 'spoken/tokens:*': [4, next('logit-lens')] },
    follow: { 'spoken/summary:*': 1 },
  },
  {
    of: 'version of logit-lens-summary',
    edit: 'raised',
    workflow: 'variants',
    change: raise('logit-lens-summary'),
    made: { 'spoken/summary:*': [1, next('logit-lens-summary')] },
  },
  {
    of: 'version of steer',
    edit: 'raised',
    workflow: 'variants',
    change: raise('steer'),
    made: { 'steered/alpha/two/@1:*': [1, next('steer')] },
    follow: { 'steered/alpha/two/@1/read:*': 1, 'steered/effects:*': 1 },
  },
  {
    of: 'version of steer-effects',
    edit: 'raised',
    workflow: 'variants',
    change: raise('steer-effects'),
    made: { 'steered/effects:*': [1, next('steer-effects')] },
  },
  {
    of: 'version of imported-answers',
    edit: 'raised',
    workflow: 'variants',
    change: raise('imported-answers'),
    made: { theirs: [1, next('imported-answers')] },
    follow: { 'theirs.recordings': 1, read: 1 },
  },
  {
    of: 'version of imported-recordings',
    edit: 'raised',
    workflow: 'variants',
    change: raise('imported-recordings'),
    made: { 'theirs.recordings': [1, next('imported-recordings')], read: [1, next('imported-recordings')] },
  },
  {
    of: 'version of project',
    edit: 'raised',
    change: raise('project'),
    made: { scores: [72, next('project')] },
    follow: { ranking: 5, 'report.answers': 6, report: 1 },
  },
  {
    of: 'version of score',
    edit: 'raised',
    workflow: 'variants',
    change: raise('score'),
    made: {
      briefly: [2, next('score')],
      'steered/alpha/two/read:*': [1, next('score')],
      'steered/alpha/two/@1/read:*': [1, next('score')],
    },
    follow: { 'steered/effects:*': 1 },
  },
  {
    of: 'version of rank',
    edit: 'raised',
    change: raise('rank'),
    made: { 'ranking/one:*': [2, next('rank')], 'ranking/two:*': [2, next('rank')] },
    follow: afterRankings,
  },
  {
    of: 'version of rank-overview',
    edit: 'raised',
    change: raise('rank-overview'),
    made: { 'ranking/overview:*': [1, next('rank-overview')] },
    follow: { report: 1 },
  },
  {
    of: 'version of report-answers',
    edit: 'raised',
    change: raise('report-answers'),
    made: { 'report.answers': [6, next('report-answers')] },
    follow: { report: 1 },
  },
  { of: 'version of report', edit: 'raised', change: raise('report'), made: { report: [1, next('report')] } },
  { of: 'version of export', edit: 'raised', workflow: 'variants', change: raise('export'), made: { tables: [2, next('export')] } },
  {
    of: 'version of command',
    edit: 'raised',
    workflow: 'variants',
    change: raise('command'),
    made: { sorted: [2, next('command')] },
    follow: { copied: 1 },
  },
]

export const circumstanceRows: readonly Row[] = [
  {
    of: 'engine',
    edit: 'another build of the program',
    change(workspace) {
      const db = new DatabaseSync(workspace.at('cache/index.db'))
      db.exec("UPDATE standing SET program = 'another'")
      db.close()
      return { program: {} }
    },
  },
  {
    of: 'workspace',
    edit: 'moved',
    change(workspace) {
      const folder = `${workspace.folder}-moved`
      renameSync(workspace.folder, folder)
      return { folder }
    },
  },
  {
    of: 'workspace',
    edit: 'every file touched',
    change: all(ownModels, (workspace) => walk(workspace, (file) => lutimesSync(file, new Date(), new Date()))),
  },
  {
    of: 'workspace',
    edit: 'read by another user',
    change(workspace) {
      if (process.getuid?.() !== 0) return { program: { skip: 'only root can run it as another user' } }
      if (spawnSync('setpriv', ['--version']).status !== 0) return { program: { skip: 'setpriv of util-linux is not here' } }
      const nobody = 65534
      ownModels(workspace)
      walk(workspace, (file) => chownSync(file, nobody, nobody))
      const readable = spawnSync('setpriv', [
        ...as(nobody),
        'test',
        '-r',
        process.execPath,
        '-a',
        '-r',
        path.join(import.meta.dirname, 'circumstances.ts'),
      ])
      if (readable.status !== 0) return { program: { skip: 'another user cannot read the program here' } }
      return { program: { before: ['setpriv', ...as(nobody)], env: { HOME: '/nonexistent', USER: 'nobody' } } }
    },
  },
  {
    of: 'machine',
    edit: 'another host name',
    change() {
      const named = spawnSync('unshare', ['-u', 'sh', '-c', 'hostname elsewhere && hostname'], { encoding: 'utf8' })
      if (named.stdout?.trim() !== 'elsewhere') return { program: { skip: 'a host name of its own (unshare -u) may not be had here' } }
      return { program: { before: ['unshare', '-u', 'sh', '-c', 'hostname elsewhere && exec "$@"', 'sh'] } }
    },
  },
  { of: 'machine', edit: 'another home folder', change: () => ({ program: { env: { HOME: '/nonexistent' } } }) },
  {
    of: 'machine',
    edit: 'another time zone and locale',
    change: () => ({ program: { env: { TZ: 'Asia/Tokyo', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' } } }),
  },
  {
    of: 'machine',
    edit: 'started in another folder',
    change(workspace) {
      mkdirSync(workspace.at('elsewhere'))
      return { program: { cwd: workspace.at('elsewhere') } }
    },
  },
]

const as = (user: number): string[] => ['--reuid', String(user), '--regid', String(user), '--clear-groups', '--']

function walk(workspace: Workspace, visit: (file: string) => void): void {
  for (const entry of readdirSync(workspace.folder, { recursive: true, withFileTypes: true }))
    visit(path.join(entry.parentPath, entry.name))
  visit(workspace.folder)
}
