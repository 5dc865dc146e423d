export { type Dataset, type DatasetOptions, type DatasetRecord, openDataset, type SkippedLine } from './dataset.js';
export { type OutcomeFormat, outcomeFormat } from './format.js';
export { writeOutcomes, type WriteOptions } from './writeOutcomes.js';
