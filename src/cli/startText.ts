import type { BatchSnapshot } from '../client/snapshot.js';
import type { Submission } from '../client/submit.js';
import type { AnyTask } from '../task/defineTask.js';
import { count } from '../task/digits.js';
import { money, plural } from './format.js';
import { pauseText } from './view.js';

/** Skipped records that are named. */
const NAMED = 5;

/** What a run begins with: new, continued or shown; what was loaded, left out, taken over; the worst case. */
export function startText(submission: Submission, { spec }: AnyTask): readonly string[] {
  const { batchId, kind, status, load, reused } = submission;
  const lines = [`${opening(kind, status)} ${batchId}`];
  if (load !== null) {
    const parts = [`${plural(load.loaded, 'record')} loaded`];
    if (load.preset > 0) parts.push(`${count(load.preset)} settled without a prompt`);
    if (reused > 0) parts.push(`${count(reused)} answers taken over`);
    lines.push(`  ${parts.join(', ')}; model ${spec.model}`);
    if (load.worstUsd !== null && load.worstUsd > 0) {
      const each = `one prompt for each record, every answer ${count(spec.maxOutputTokens)} tokens long`;
      lines.push(`  worst case ${money(load.worstUsd)}: ${each}; up to ${spec.maxPrompts} prompts a record`);
    }
    for (const { line, message } of load.skipped.slice(0, NAMED))
      lines.push(`  left out line ${line ?? '?'}: ${message}`);
    if (load.skipped.length > NAMED) lines.push(`  left out ${count(load.skipped.length - NAMED)} more`);
  }
  return lines;
}

function opening(kind: Submission['kind'], status: Submission['status']): string {
  switch (kind) {
    case 'started':
      return 'New batch';
    case 'attached':
      return status === 'paused' ? 'Paused batch, attached:' : 'Continuing batch';
    case 'shown':
      return `Already ${status}, shown (--new runs it again):`;
  }
}

/** What to type after leaving a batch that has not ended. */
export function leaveText(snapshot: BatchSnapshot, command: string | null): readonly string[] {
  const { batchId, status } = snapshot;
  const lines = ['', `The batch is kept as it is${status === 'paused' ? `, paused: ${pauseText(snapshot)}` : '.'}`];
  const on = command ?? `tempered watch ${batchId}`;
  if (status === 'paused') lines.push(`  resume:  tempered resume ${batchId}`);
  lines.push(`  go on:   ${on}`);
  if (status !== 'paused') lines.push(`  pause:   tempered pause ${batchId}`);
  return [...lines, `  cancel:  tempered cancel ${batchId}`];
}
