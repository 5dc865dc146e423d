import { hashOf, hex, TextHash } from './hash.js';
import { answerFault, transportFault } from './faults.js';
import { latencyOf } from './latency.js';
import { Ledger, priceOf } from './ledger.js';
import { answerPrompt, cacheUse, wantedSchema } from './model.js';
import { PromptCache } from './promptCache.js';
import { Quota, type QuotaState } from './quota.js';
import { decisionKey, RecordMemory, type Standing } from './records.js';
import type { AnswerFault, Scenario } from './scenario.js';
import { textTokens } from './tokens.js';
import { Refused, type Asked, type Call, type HttpReply, type Wire } from './wire/types.js';

/** What the server does with a request. */
export type Decision =
  /** Sends a reply after a while. */
  | { readonly do: 'reply'; readonly reply: HttpReply; readonly afterMs: number }
  /** Resets the connection. */
  | { readonly do: 'reset' }
  /** Says nothing until the client leaves. */
  | { readonly do: 'hang' };

/** A reply that needs no thought: nothing is billed for it. */
function now(reply: HttpReply): Decision {
  return { do: 'reply', reply, afterMs: 0 };
}

/** A provider account's whole world: decides what happens to each request, and keeps the books. */
export class Exchange {
  /** The books. */
  readonly ledger = new Ledger();
  readonly #cache = new PromptCache();
  readonly #quota = new Quota();
  readonly #records = new RecordMemory();

  /** Decides about a request. Everything random hangs on the seed and the request, nothing on time or order. */
  decide(wire: Wire, call: Call): Decision {
    const key = wire.key(call);
    if (!accepted(call.scenario, key, wire.needsKey)) {
      this.ledger.unbilled('key');
      return now(wire.keyRefused(call, key));
    }
    try {
      const opened = wire.open(call);
      if (!('blocks' in opened)) return now(opened);
      return this.#prompt(wire, call, opened, `${call.provider} ${key ?? ''}`);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.ledger.unbilled('refused');
      return now(error.reply);
    }
  }

  #prompt(wire: Wire, call: Call, asked: Asked, account: string): Decision {
    const { scenario } = call;
    const tokens = asked.blocks.reduce((sum, { text }) => sum + textTokens(text), 0);
    const quota = this.#quota.take(account, tokens, scenario.limits, call.now);
    if (quota.refusedBy !== null) {
      this.ledger.unbilled('quota');
      const { retryAfterMs, refusedBy } = quota;
      return now(told(wire.failed(call, 'rateLimit', { retryAfterMs, refusedBy }), wire, quota, call));
    }
    const schema = wantedSchema(asked);
    const requestHash = new TextHash().add(`${call.provider} ${call.path} `).add(call.text).value;
    const { userTexts, temperature, effort } = asked;
    const standing = this.#records.place({ userTexts, schema, temperature, effort, requestHash });
    const decision = decisionKey(scenario.seed, standing, requestHash);
    const early = this.#onTheWay(wire, call, quota, decision);
    if (early !== null) return early;
    this.#records.answered(requestHash);
    const fault = answerFault(scenario, decision, standing.stage, schema !== undefined);
    return this.#answer(wire, call, { asked, schema, account, quota, standing, fault, decision });
  }

  #onTheWay(wire: Wire, call: Call, quota: QuotaState, decision: number): Decision | null {
    const { scenario } = call;
    const fault = transportFault(scenario, decision);
    if (fault === null) return null;
    this.ledger.unbilled(fault);
    const hint = scenario.retryAfterSeconds;
    switch (fault) {
      case 'reset':
        return { do: 'reset' };
      case 'hang':
        return { do: 'hang' };
      case 'rateLimit': {
        const reply = wire.failed(call, fault, { retryAfterMs: hint === null ? null : hint * 1000 });
        return now(told(reply, wire, quota, call));
      }
      case 'overloaded':
        return now(wire.failed(call, fault, { retryAfterMs: null }));
      case 'serverError': {
        const reply = wire.failed(call, fault, { retryAfterMs: null });
        return { do: 'reply', reply, afterMs: latencyOf(scenario.latency, hashOf(decision, 'latency')) };
      }
    }
  }

  /** Answers, and bills at once: a provider charges for what it made, also when nobody waits for it any more. */
  #answer(wire: Wire, call: Call, made: Made): Decision {
    const { asked, schema, account, quota, standing, fault, decision } = made;
    const afterMs = latencyOf(call.scenario.latency, hashOf(decision, 'latency'));
    const { readableAfterMs } = call.scenario.caches;
    const readable = readableAfterMs === null ? call.now : call.now + afterMs + readableAfterMs;
    const cache = cacheUse(this.#cache, asked, account, { now: call.now, readable });
    const answer = answerPrompt(asked, { record: standing.record, schema, fault, key: decision, cache });
    // Anthropic's quotas leave out what was read from a cache.
    const cached = asked.provider === 'anthropic' ? answer.usage.cachedInputTokens : 0;
    const charged = { input: -cached, output: answer.usage.outputTokens };
    this.#quota.charge(account, charged, call.scenario.limits, call.now);
    const reply = told(wire.answered(call, asked, answer), wire, quota, call);
    const { inputTokens, cachedInputTokens, cacheWriteTokens, cacheWrite1hTokens, outputTokens } = answer.usage;
    this.ledger.bill({
      at: call.now,
      provider: asked.provider,
      model: asked.model,
      promptHash: hex(hashOf(...asked.blocks.map(({ text }) => text))),
      inputTokens,
      cachedInputTokens,
      cacheWriteTokens,
      cacheWrite1hTokens,
      outputTokens,
      costNanoUsd: priceOf(asked.info, answer.usage),
      status: reply.status,
      fault,
      requestBytes: Buffer.byteLength(call.text),
    });
    return { do: 'reply', reply, afterMs };
  }
}

interface Made {
  readonly asked: Asked;
  readonly schema: Asked['schema'];
  readonly account: string;
  readonly quota: QuotaState;
  readonly standing: Standing;
  readonly fault: AnswerFault | null;
  readonly decision: number;
}

/** Keys that start with `wrong` are wrong unless the scenario lists them; local servers take none at all, too. */
function accepted({ keys }: Scenario, key: string | undefined, needed: boolean): boolean {
  if (key === undefined) return !needed;
  return keys === undefined ? !key.startsWith('wrong') : keys.includes(key) || !needed;
}

/** The reply with the account's quotas in its headers. */
function told(reply: HttpReply, wire: Wire, quota: QuotaState, call: Call): HttpReply {
  return { ...reply, headers: { ...wire.quotaHeaders(quota, call.now), ...reply.headers } };
}
