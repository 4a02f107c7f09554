import { chmodSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { isOlder } from '../../core/version.ts'

/**
 * Opens the index. It is a cache of the manifests: `rebuildIndex` makes it again. Only the engine opens it.
 * WAL with `synchronous=FULL`, since NORMAL loses commits in a power cut.
 * @throws Error when SQLite is older than 3.51.3, which has the WAL-reset corruption bug.
 */
export function openIndex(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: 10_000 })
  const { version } = db.prepare('SELECT sqlite_version() AS version').get() as { version: string }
  if (isOlder(version, [3, 51, 3])) throw new Error(`SQLite ${version} can corrupt a WAL database; Node 24.15 or newer brings a safe one`)
  const { user_version: layout } = db.prepare('PRAGMA user_version').get() as { user_version: number }
  if (layout === indexVersion) {
    db.exec(settings)
    return db
  }
  if (layout === 2 || layout === 3) {
    // In layout 2 what is shown was named by its absolute path; the next run finds it as it should be, and names it anew.
    const former = layout === 2 ? 'DROP TABLE views;' : ''
    const added = 'ALTER TABLE units ADD COLUMN maker TEXT'
    const looks = "SELECT json_group_object(key, json_object('stamp', value)) FROM json_each(witnesses)"
    const changed = `UPDATE standing SET witnesses = (${looks})`
    db.exec(`${settings}; BEGIN IMMEDIATE; ${former} ${added}; ${changed}; ${schema}; PRAGMA user_version=${indexVersion}; COMMIT`)
    return db
  }
  if (layout !== 0)
    throw new Error(`${file} has layout ${layout}, this engine writes ${indexVersion}: delete it, it is rebuilt from the manifests`)
  chmodSync(file, 0o600)
  db.exec(`PRAGMA journal_mode=WAL; ${settings}`)
  db.exec(`BEGIN IMMEDIATE; ${schema}; PRAGMA user_version=${indexVersion}; COMMIT`)
  return db
}

const indexVersion = 4

/**
 * Keys are spread evenly, so a batch touches many pages of their index: room for them in memory (64 MiB), and a WAL
 * that collects many batches (64 MiB) before it is copied into the database.
 */
const settings = 'PRAGMA synchronous=FULL; PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=16384'

/**
 * Digests and keys are 32-byte blobs; slots, facts and components are JSON. Cells lie in the order in which they were
 * made: by key, every one of a batch would rewrite a page of its own.
 */
const schema = `
CREATE TABLE IF NOT EXISTS units (
  id INTEGER PRIMARY KEY, manifest TEXT NOT NULL UNIQUE, run TEXT NOT NULL, workflow TEXT NOT NULL, task TEXT NOT NULL,
  operation TEXT NOT NULL, shared TEXT NOT NULL, created INTEGER NOT NULL, maker TEXT);
CREATE INDEX IF NOT EXISTS units_by_task ON units (task, id);
CREATE TABLE IF NOT EXISTS objects (digest BLOB PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS unit_objects (object BLOB, unit INTEGER, PRIMARY KEY (object, unit)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cells (
  id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, digest BLOB NOT NULL, unit INTEGER NOT NULL, cell TEXT NOT NULL,
  slot TEXT NOT NULL, own TEXT NOT NULL, inputs TEXT NOT NULL, facts TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS cells_by_unit ON cells (unit, cell);
CREATE TABLE IF NOT EXISTS uses (input BLOB, unit INTEGER, PRIMARY KEY (input, unit)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS done (deep BLOB PRIMARY KEY, cells INTEGER NOT NULL, objects TEXT NOT NULL, view TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (
  path TEXT PRIMARY KEY, size INTEGER, mtime TEXT, ctime TEXT, inode TEXT, digest TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS views (
  path TEXT PRIMARY KEY, digest TEXT NOT NULL, size INTEGER, mtime TEXT, ctime TEXT, inode TEXT, workflow TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS standing (workflow TEXT PRIMARY KEY, program TEXT NOT NULL, witnesses TEXT NOT NULL, answer TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rates (profile TEXT, what TEXT, amount REAL, seconds REAL, PRIMARY KEY (profile, what)) WITHOUT ROWID`
