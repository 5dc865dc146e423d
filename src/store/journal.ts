import { TemperedError, type ItemError } from '../task/errors.js';
import type { Backend } from './backend.js';
import type { ItemInGroup } from './group.js';
import type { GroupedWriter } from './groupedWriter.js';
import { decode, encode, encodeNullable } from './jsonText.js';
import { type EndedRow, JOURNAL_COLUMNS, type KnownRow, type SentRow, toJournalRow, unknownRow } from './promptRows.js';
import type { NewOutcome, Reservation, ReserveResult, Settlement, Store } from './types.js';

/** The part of the store that keeps the prompt journal and the money. */
export type JournalStore = Pick<
  Store,
  'reserve' | 'settle' | 'markUnknown' | 'journal' | 'rawResponse' | 'writeOutcome'
>;

function sentRow(item: ItemInGroup, reservation: Reservation): SentRow {
  return {
    batch_no: item.batchNo,
    idx: item.index,
    prompt: reservation.prompt,
    stage: reservation.stage,
    kind: reservation.kind,
    variation: encode(reservation.variation),
    model: reservation.model,
    pool: reservation.pool,
    day: reservation.day,
    state: 'sent',
    worst_nano: reservation.worstNano,
    result: null,
  };
}

/** `again`: this very write was tried before, and its commit may have got through unheard. */
function reserve(item: ItemInGroup, reservation: Reservation, again: boolean): ReserveResult {
  const { prompt, worstNano, budgetNano } = reservation;
  const known = item.prompts.get(prompt);
  if (again && known?.state === 'sent') return { ok: true };
  if (known !== undefined) {
    throw new TemperedError('unknown', `Prompt ${prompt} of record ${item.index} was sent before.`, {
      remedy: 'Read the journal and use what was answered, or the next number.',
    });
  }
  // A late answer of an attempt that was given up ended the record meanwhile.
  if (item.hasOutcome) return { ok: false, needsNano: null };
  const { pool, day, dayNano } = reservation;
  const caps = [
    { limit: 'budget', cap: budgetNano, money: item.money() },
    { limit: 'day', cap: dayNano, money: item.moneyOf({ pool, day }) },
  ] as const;
  for (const { limit, cap, money } of caps) {
    if (cap === null) continue;
    if (worstNano === null) throw unpriced(reservation.model);
    const needsNano = money.spent + money.reserved + worstNano;
    if (needsNano <= cap) continue;
    // Prompts in flight mostly cost less than their worst case: what they give back may be enough.
    const mayFit = needsNano - money.reserved <= cap;
    return { ok: false, needsNano, limit, committedNano: mayFit ? needsNano - worstNano : null };
  }
  item.putPrompt(sentRow(item, reservation));
  return { ok: true };
}

function unpriced(model: string): TemperedError {
  return new TemperedError('budget', `The price of ${model} isn't known, so no budget can be kept.`, {
    remedy: 'Remove the budget, or add the price of the model to the configuration.',
  });
}

function settledRow(sent: KnownRow, settlement: Settlement): EndedRow {
  const { usage } = settlement;
  return {
    batch_no: sent.batch_no,
    idx: sent.idx,
    prompt: sent.prompt,
    stage: sent.stage,
    kind: sent.kind,
    variation: sent.variation,
    model: sent.model,
    pool: sent.pool,
    day: sent.day,
    worst_nano: sent.worst_nano,
    state: 'settled',
    result: settlement.result,
    issues: settlement.issues.length === 0 ? null : encode(settlement.issues),
    error: encodeNullable(settlement.error),
    cost_nano: settlement.costNano,
    cache_savings_nano: settlement.cacheSavingsNano,
    latency_ms: settlement.latencyMs === null ? null : Math.round(settlement.latencyMs),
    input_tokens: usage?.inputTokens ?? null,
    cached_input_tokens: usage?.cachedInputTokens ?? null,
    cache_write_tokens: usage?.cacheWriteTokens ?? null,
    cache_write_1h_tokens: usage?.cacheWrite1hTokens ?? null,
    output_tokens: usage?.outputTokens ?? null,
    thinking_tokens: usage?.thinkingTokens ?? null,
    metadata: encodeNullable(settlement.metadata),
    kept: encodeNullable(settlement.kept),
    reply: encodeNullable(settlement.reply),
    raw: encode(settlement.raw),
  };
}

function settle(item: ItemInGroup, settlement: Settlement): void {
  const row = item.prompts.get(settlement.prompt);
  if (!settlement.spent) {
    if (row !== undefined && row.state !== 'settled') item.removePrompt(settlement.prompt);
  } else if (row === undefined) {
    throw new TemperedError('unknown', `Prompt ${settlement.prompt} of record ${item.index} was never reserved.`);
  } else if (row.state !== 'settled') {
    // A late answer to a prompt that was given up as unknown sets the money right.
    item.putPrompt(settledRow(row, settlement));
  }
  if (settlement.outcome !== null) writeOutcome(item, settlement.outcome);
}

function markUnknown(item: ItemInGroup, prompt: number, error: ItemError): void {
  const row = item.prompts.get(prompt);
  if (row?.state === 'sent') item.putPrompt(unknownRow(row, error.category, error));
}

function writeOutcome(item: ItemInGroup, outcome: NewOutcome): boolean {
  if (item.hasOutcome) return false;
  item.putOutcome(outcome);
  return true;
}

/** The journal over `backend`, written through `writer`. */
export function createJournalStore(backend: Backend, writer: GroupedWriter): JournalStore {
  const { db } = backend;
  return {
    reserve: (reservation) => {
      let again = false;
      const { batchId, index, pool, day } = reservation;
      return writer.write({ batchId, index, charged: { pool, day } }, (item) => {
        const result = reserve(item, reservation, again);
        again = true;
        return result;
      });
    },
    settle: (settlement) =>
      writer.write(settlement, (item) => {
        settle(item, settlement);
      }),
    markUnknown: (batchId, index, prompt, error) =>
      writer.write({ batchId, index }, (item) => {
        markUnknown(item, prompt, error);
      }),
    writeOutcome: (outcome) => writer.write(outcome, (item) => writeOutcome(item, outcome)),
    async journal(batchId, index) {
      const rows = await db
        .selectFrom('prompts')
        .innerJoin('batches', 'batches.no', 'prompts.batch_no')
        .select(JOURNAL_COLUMNS.map((column) => `prompts.${column}` as const))
        .where('batches.id', '=', batchId)
        .where('prompts.idx', '=', index)
        .orderBy('prompts.prompt')
        .execute();
      return rows.map(toJournalRow);
    },
    async rawResponse(batchId, index, prompt) {
      const row = await db
        .selectFrom('prompts')
        .innerJoin('batches', 'batches.no', 'prompts.batch_no')
        .select('prompts.raw')
        .where('batches.id', '=', batchId)
        .where('prompts.idx', '=', index)
        .where('prompts.prompt', '=', prompt)
        .executeTakeFirst();
      return row === undefined || row.raw === null ? undefined : decode(row.raw);
    },
  };
}
