export function writeCats(folder: string, pairs: number): void
export function writeJob(
  folder: string,
  models: string,
  shape: Readonly<Record<'organisms' | 'sets' | 'prompts' | 'layers' | 'projected' | 'traits', number>>,
): number
