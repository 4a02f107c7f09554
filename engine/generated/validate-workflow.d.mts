import type { ErrorObject } from 'ajv'

declare const check: ((data: unknown) => boolean) & { errors?: ErrorObject[] | null }
export default check
