import { asyncBufferFromFile, parquetMetadataAsync, parquetRead } from 'hyparquet'

/** Reads one float column of a Parquet file as float32. The only module that imports hyparquet. */
export async function readFloatColumn(file: string, name: string): Promise<Float32Array> {
  const buffer = await asyncBufferFromFile(file)
  const metadata = await parquetMetadataAsync(buffer)
  const values = new Float32Array(Number(metadata.num_rows))
  await parquetRead({
    file: buffer,
    metadata,
    columns: [name],
    onChunk({ columnData, rowStart }) {
      values.set(columnData as ArrayLike<number>, rowStart)
    },
  })
  return values
}
