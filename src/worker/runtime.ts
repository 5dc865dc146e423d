import {
  DefaultLogger,
  type LogEntry,
  makeTelemetryFilterString,
  Runtime,
  type RuntimeOptions,
} from '@temporalio/worker';
import { TemperedError, thrownText } from '../task/errors.js';

/** Receives one line per event of the Temporal SDK at warning level or above, and what is told of prompt caches. */
export type LogLine = (line: string) => void;

let installed = false;

/**
 * Sends the Temporal SDK's own log to `write` instead of the terminal, and serves its metrics and ours to Prometheus at
 * `metrics` (`host:port`; default: nowhere). Once per process; later calls change nothing. Throws `input` for an address
 * that can't be had.
 */
export function installRuntime(write: LogLine, metrics?: string): void {
  if (installed) return;
  const exporter = metrics === undefined ? {} : { metrics: { prometheus: { bindAddress: metrics } } };
  const options: RuntimeOptions = {
    logger: new DefaultLogger('INFO', (entry) => {
      if (isTold(entry)) write(formatEntry(entry));
    }),
    telemetryOptions: {
      logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }) },
      ...exporter,
    },
    // Ctrl-C belongs to the command that runs the worker.
    shutdownSignals: [],
  };
  try {
    Runtime.install(options);
  } catch (cause) {
    if (metrics === undefined) throw cause;
    throw new TemperedError('input', `Metrics can't be served at ${metrics}: ${thrownText(cause)}`, {
      remedy: 'Give a free address as host:port, such as 127.0.0.1:9464.',
      cause,
    });
  }
  installed = true;
}

/** Warnings, but that queues of prompts have no workflows, which is meant; and whether a batch's prompts are cached. */
function isTold({ level, message }: LogEntry): boolean {
  if (level === 'INFO') return message.startsWith('Cache optimization');
  return !message.startsWith('No workflows registered');
}

function formatEntry({ level, timestampNanos, message, meta }: LogEntry): string {
  const time = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
  const details: Readonly<Record<string, unknown>> = meta ?? {};
  const error = details['error'];
  const why = error === undefined ? '' : `: ${error instanceof Error ? error.message : JSON.stringify(error)}`;
  const where = details['workflowId'] ?? details['taskQueue'];
  return `${time} ${level} ${message}${why}${typeof where === 'string' ? ` [${where}]` : ''}`;
}
