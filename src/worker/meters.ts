import type { MetricMeter } from '@temporalio/common';
import type { Meters } from '../limits/meters.js';

/** Our figures beside the Temporal SDK's own, where its exporter shows them. */
export function createMeters(meter: MetricMeter): Meters {
  const prompts = meter.createCounter('tempered_prompts', undefined, 'Prompts by model and result');
  const tokens = meter.createCounter('tempered_tokens', undefined, 'Tokens by model and kind');
  const cost = meter.createCounter('tempered_cost_nanousd', undefined, 'Known cost by model; billionths of a dollar');
  const latency = meter.createHistogram('tempered_prompt_latency', 'int', 'ms', 'Time of prompts by model');
  const waits = meter.createCounter(
    'tempered_waits',
    undefined,
    'Prompts that waited at the gate, by pool and limiter',
  );
  const rate = meter.createGauge('tempered_pool_rpm', 'float', undefined, 'Requests a minute a limited pool may have');
  const circuit = meter.createGauge('tempered_circuit', 'int', undefined, 'Endpoints: 0 closed, 1 half-open, 2 open');
  return {
    prompt({ model, result, usage, costNano, latencyMs }) {
      prompts.add(1, { model, result });
      latency.record(Math.round(latencyMs), { model });
      if (usage !== null) {
        tokens.add(usage.inputTokens, { model, kind: 'input' });
        tokens.add(usage.cachedInputTokens, { model, kind: 'cached' });
        tokens.add(usage.outputTokens, { model, kind: 'output' });
      }
      if (costNano !== null) cost.add(costNano, { model });
    },
    waited: (pool, limiter) => waits.add(1, { pool, limiter }),
    // A gauge can't be taken back: -1 says that there is no limit any more.
    rate: (pool, rpm) => rate.set(rpm ?? -1, { pool }),
    circuit: (endpoint, state) => circuit.set(state, { endpoint }),
  };
}
