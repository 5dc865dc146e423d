import { promptBytes } from '../../models/promptBytes.js';
import type { AnyTask } from '../../task/defineTask.js';
import type { Json } from '../../task/json.js';
import type { LoadedRecord } from '../../task/spec.js';
import { forEachRecord, type SkippedRecord } from '../load.js';
import { type BatchData, openData } from '../spool.js';
import { dataHashOf } from '../submit.js';

/** A record drawn for the sample. */
export interface DrawnRecord {
  /** 0-based position among the records that can be used. */
  readonly index: number;
  /** As it would be loaded. */
  readonly record: LoadedRecord;
  /** As it was read: what a batch of the sample alone is given. */
  readonly value: Json;
  /** Size of its prompt, static prefix included; bytes. */
  readonly bytes: number;
}

/** A data set as an estimate sees it: counted whole, a part of it kept. */
export interface Population {
  /** Records that would be loaded. */
  readonly items: number;
  /** Of these, settled by the task's `before` without a prompt. */
  readonly preset: number;
  /** Sum of the sizes of all prompts; bytes. Null for a task with `prepare`, whose prompts are not known yet. */
  readonly bytes: number | null;
  /** Records drawn at random, in input order. */
  readonly drawn: readonly DrawnRecord[];
  /** Hash of the data, as a run's batch has it. */
  readonly dataHash: string;
  /** Bad records that would be left out. */
  readonly skipped: readonly SkippedRecord[];
}

/** What is read, and how much of it is drawn. */
export interface PopulationOptions {
  /** Records to draw. */
  readonly sample: number;
  /** Only the first records. */
  readonly limit: number | undefined;
  /** Field that holds each record's id. */
  readonly idField: string | undefined;
  /** What happens to a record that can't be used. */
  readonly onBadInput: 'fail' | 'skip';
}

/**
 * Reads a data set as a run would, and draws a sample in one pass (reservoir sampling). The draw is random but seeded
 * by the task: the same task and data give the same estimate.
 */
export async function readPopulation(task: AnyTask, data: BatchData, options: PopulationOptions): Promise<Population> {
  const { sample, limit, idField, onBadInput: onBad } = options;
  const opened = await openData(data, { limit, onBad });
  const random = seededRandom(task.hash);
  const { instructions, schema, params } = task.spec;
  const skipped: SkippedRecord[] = [];
  const drawn: DrawnRecord[] = [];
  let items = 0;
  let preset = 0;
  let bytes: number | null = 0;
  try {
    await forEachRecord(task, opened, { idField, onBad }, skipped, (record, value) => {
      const index = items;
      items += 1;
      if (record.preset !== undefined) {
        preset += 1;
        return;
      }
      const { rendered } = record;
      const size =
        rendered === null ? null : promptBytes({ instructions, schema, params, messages: rendered.messages });
      bytes = bytes === null || size === null ? null : bytes + size;
      const place = drawn.length < sample ? drawn.length : Math.floor(random() * (items - preset));
      if (place < sample) drawn[place] = { index, record, value, bytes: size ?? 1 };
    });
    const kept = drawn.sort((a, b) => a.index - b.index);
    const dataHash = dataHashOf(opened, idField);
    return { items, preset, bytes, drawn: kept, dataHash, skipped: [...skipped, ...opened.dataset.skipped] };
  } finally {
    await opened.close();
  }
}

/** Numbers from 0 to below 1, always the same for the same seed (mulberry32 over the first 32 bits of a hash). */
function seededRandom(seed: string): () => number {
  let state = Number.parseInt(seed.slice(0, 8), 16) | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
