import type { Matrix } from '../../steps/common/matrix.ts'

/** A matrix of differences on one prompt set, without columns and rows. */
export const emptyMatrix: Matrix = {
  by: 'response_mean',
  mode: 'diff',
  promptSets: ['one'],
  columns: [],
  random: [],
  rows: [],
  bySet: [],
  planted: [],
  plants: {},
  betweenSets: [],
}
