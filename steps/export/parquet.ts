import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer'

export type ColumnType = 'STRING' | 'INT32' | 'FLOAT' | 'DOUBLE'

/** A column of a table, without nulls. */
export interface Column {
  readonly name: string
  readonly type: ColumnType
  readonly data: string[] | number[]
}

/** A table as the bytes of a Parquet file. The only module that imports hyparquet-writer. */
export function parquetBytes(columns: readonly Column[]): Uint8Array {
  const columnData = columns.map((column): ColumnSource => ({ ...column, nullable: false }))
  return new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: 1_000_000, createdBy: 'dag' }))
}
