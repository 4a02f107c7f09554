import type { Json } from '../core/json.ts'
import check from '../generated/validate-workflow.mjs'
import type { ShapeCheck } from './shape-mistakes.ts'

/** The workflow schema, compiled by `npm run build`, so that starting up does not load the compiler. */
export const checkShape: ShapeCheck = (data: Json) => (check(data) ? [] : (check.errors ?? []))
