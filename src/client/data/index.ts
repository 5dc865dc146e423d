export { type Dataset, openDataset } from './dataset.js';
export { assertWritable, writeOutcomes } from './writeOutcomes.js';
