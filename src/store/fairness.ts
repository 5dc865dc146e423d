/** How a quota is divided when several batches, in several processes, want it: by weight, whoever asks how often. */

/** What one process would start now, by batch. */
export type Demand = Readonly<
  Record<
    string,
    {
      /** Prompts that could start. */
      readonly waiting: number;
      /** Prompts in flight; a worker of an earlier version doesn't tell. */
      readonly inFlight?: number;
      /** The batch's weight. */
      readonly weight: number;
    }
  >
>;

/** A process' part of a quota. */
export interface FairPart {
  /** Part of what there is that this process may take, 0..1. */
  readonly part: number;
  /** By batch: part of the batch's waiting prompts that are here. */
  readonly here: Readonly<Record<string, number>>;
}

interface BatchDemand {
  readonly mine: number;
  readonly total: number;
  readonly weight: number;
}

function byBatch(mine: Demand, others: readonly Demand[]): ReadonlyMap<string, BatchDemand> {
  const all = new Map<string, BatchDemand>();
  const add = (demand: Demand, own: boolean): void => {
    for (const [batch, { waiting, weight }] of Object.entries(demand)) {
      if (waiting <= 0) continue;
      const known = all.get(batch) ?? { mine: 0, total: 0, weight };
      all.set(batch, {
        mine: known.mine + (own ? waiting : 0),
        total: known.total + waiting,
        weight: own ? weight : known.weight,
      });
    }
  };
  for (const other of others) add(other, false);
  add(mine, true);
  return all;
}

/** Divides `pot` prompts by weight; a batch that wants less leaves the rest to the others. */
function divided(batches: ReadonlyMap<string, BatchDemand>, pot: number): ReadonlyMap<string, number> {
  const given = new Map<string, number>();
  let left = pot;
  let open = [...batches];
  while (open.length > 0 && left > 0) {
    const weights = open.reduce((sum, [, { weight }]) => sum + weight, 0);
    const portion = left / weights;
    const sated = open.filter(([, { total, weight }]) => total <= portion * weight);
    if (sated.length === 0) {
      for (const [name, { weight }] of open) given.set(name, portion * weight);
      return given;
    }
    for (const [name, { total }] of sated) {
      given.set(name, total);
      left -= total;
    }
    open = open.filter((one) => !sated.includes(one));
  }
  return given;
}

/** What of `pot` prompts is fair for each of several processes. */
export function fairShares(demands: readonly Demand[], pot: number): readonly number[] {
  const batches = byBatch({}, demands);
  const given = divided(batches, pot);
  return demands.map((demand) =>
    Object.entries(demand).reduce((sum, [name, { waiting }]) => {
      const total = batches.get(name)?.total ?? 0;
      return total === 0 ? sum : sum + ((given.get(name) ?? 0) * waiting) / total;
    }, 0),
  );
}

/** The part of `pot` prompts that is fair for a process. With nobody else asking it is everything. */
export function fairPart(mine: Demand, others: readonly Demand[], pot: number): FairPart {
  const batches = byBatch(mine, others);
  const here = Object.fromEntries([...batches].map(([name, { mine: own, total }]) => [name, own / total]));
  const given = divided(batches, Math.max(pot, 1));
  let all = 0;
  let own = 0;
  for (const [name, amount] of given) {
    all += amount;
    own += amount * (here[name] ?? 0);
  }
  return { part: all === 0 ? 1 : own / all, here };
}
