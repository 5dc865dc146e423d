import { DefaultLogger, type LogEntry, makeTelemetryFilterString, Runtime } from '@temporalio/worker';

/** Receives one line per event of the Temporal SDK at warning level or above. */
export type LogLine = (line: string) => void;

let installed = false;

/** Sends the Temporal SDK's own log to `write` instead of the terminal. Once per process; later calls change nothing. */
export function installRuntime(write: LogLine): void {
  if (installed) return;
  installed = true;
  Runtime.install({
    logger: new DefaultLogger('WARN', (entry) => {
      if (!isExpected(entry)) write(formatEntry(entry));
    }),
    telemetryOptions: { logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }) } },
    // Ctrl-C belongs to the command that runs the worker.
    shutdownSignals: [],
  });
}

/** Queues of prompts have no workflows: that is meant. */
function isExpected({ message }: LogEntry): boolean {
  return message.startsWith('No workflows registered');
}

function formatEntry({ level, timestampNanos, message, meta }: LogEntry): string {
  const time = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
  const details: Readonly<Record<string, unknown>> = meta ?? {};
  const error = details['error'];
  const why = error === undefined ? '' : `: ${error instanceof Error ? error.message : JSON.stringify(error)}`;
  const where = details['workflowId'] ?? details['taskQueue'];
  return `${time} ${level} ${message}${why}${typeof where === 'string' ? ` [${where}]` : ''}`;
}
