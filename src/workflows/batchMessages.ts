import { setHandler } from '@temporalio/workflow';
import type { Concurrency } from '../limits/types.js';
import { nanoToUsd, usdToNano } from '../task/money.js';
import type { BatchRun } from './batch.js';
import * as messages from './messages.js';
import {
  checkBudget,
  checkConcurrency,
  checkDeadline,
  checkLimits,
  checkModel,
  checkWeight,
  isIndex,
  readAddItems,
  readReason,
} from './validate.js';

/** Sets every signal, update and query of a batch. Called first, so that no message finds the batch deaf. */
export function handleMessages(run: BatchRun): void {
  handleSignals(run);
  handleUpdates(run);
  handleQueries(run);
}

function handleSignals(run: BatchRun): void {
  const { control } = run;
  setHandler(messages.pauseSignal, (ask) => {
    const message = readReason(ask) ?? 'Paused by a message.';
    return control.setPaused({ reason: 'user', message, since: Date.now() });
  });
  setHandler(messages.resumeSignal, () => control.setPaused(null));
  setHandler(messages.haltedSignal, (halt) => run.halted(halt));
  setHandler(messages.cacheLostSignal, (name) => run.cache.lost(name));
  setHandler(messages.addItemsSignal, (payload) => {
    const added = readAddItems(payload);
    const why = typeof added === 'string' ? added : run.intake.take(added);
    if (why !== undefined) run.notes.add(why);
  });
  setHandler(messages.closeInputSignal, () => {
    run.intake.closed = true;
  });
  setHandler(messages.cancelItemSignal, async (index) => {
    if (!isIndex(index)) {
      run.notes.add(`cancelItem wants the index of a record, a whole number from 0; not ${JSON.stringify(index)}`);
      return;
    }
    await control.change({ cancelled: [...new Set([...control.settings.cancelled, index])] });
    run.probe.cancel(index);
    await run.shards?.skip(index);
  });
  setHandler(messages.tunedSignal, async ({ from, to }) => {
    const { concurrency, autoConcurrency } = control.settings;
    if (autoConcurrency !== true || concurrency !== from || run.finished) return;
    await control.change({ concurrency: to });
    await run.shards?.rebalance(to);
  });
  setHandler(messages.drainedSignal, async (number) => {
    run.shards?.drained(number);
    await run.shards?.rebalance(control.settings.concurrency);
  });
}

function handleUpdates(run: BatchRun): void {
  const { control } = run;
  const when = (check: (value: unknown) => void) => ({
    validator: (value: unknown) => {
      if (run.finished || control.stop !== null) throw new Error('The batch has ended; nothing can be changed.');
      // The null of other SDKs arrives as no value at all.
      check(value ?? null);
    },
  });
  const setConcurrency = async (wanted: Concurrency) => {
    const auto = wanted === 'auto';
    const { concurrency } = control.settings;
    // From where it is: that is the best that is known.
    await control.change({ concurrency: auto ? concurrency : wanted, autoConcurrency: auto });
    await run.shards?.rebalance(control.settings.concurrency);
    return control.settings.concurrency;
  };
  const setWeight = async (weight: number) => {
    await control.change({ weight });
    return weight;
  };
  const setBudget = async (sent: number | null) => {
    const usd = sent ?? null;
    await control.change({ budgetNano: usd === null ? null : usdToNano(usd) });
    const { budgetNano } = control.settings;
    return budgetNano === null ? null : nanoToUsd(budgetNano);
  };
  const setModel = async (sent: string | null) => {
    const model = sent ?? null;
    await control.change({ model });
    return model;
  };
  const setDeadline = async (sent: string | null) => {
    const iso = sent ?? null;
    await control.change({ deadline: iso === null ? null : Date.parse(iso) });
    return iso;
  };
  setHandler(messages.setConcurrencyUpdate, setConcurrency, when(checkConcurrency));
  setHandler(messages.setWeightUpdate, setWeight, when(checkWeight));
  setHandler(messages.setBudgetUpdate, setBudget, when(checkBudget));
  setHandler(
    messages.setModelUpdate,
    setModel,
    when((value) => checkModel(value, run.shards?.opened.providers)),
  );
  setHandler(
    messages.setDeadlineUpdate,
    setDeadline,
    when((value) => checkDeadline(value, Date.now())),
  );
  setHandler(messages.setLimitsUpdate, (limits) => control.setLimits(limits), when(checkLimits));
}

function handleQueries(run: BatchRun): void {
  setHandler(messages.progressQuery, () => run.progress());
  setHandler(messages.failuresQuery, () => [
    ...(run.shards?.failures ?? []),
    ...run.notes.all.map((message) => ({ index: -1, category: 'input', message })),
  ]);
  setHandler(messages.configQuery, () => run.config());
}
