import type { ParamSchema } from '../../engine/core/schema.ts'

/** Layers, counted from 0: `[20, 24, 28-32]`. */
export const layerList: ParamSchema = {
  type: 'array',
  items: { type: 'integer', minimum: 0 },
  minItems: 1,
  uniqueItems: true,
  'x-ranges': true,
}
