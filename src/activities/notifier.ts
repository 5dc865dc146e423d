import { spawn } from 'node:child_process';
import path from 'node:path';
import { TemperedError } from '../task/errors.js';
import type { Json } from '../task/json.js';
import { postWebhook } from './webhook.js';

/** What is told: the end of a batch, or a pause. */
export type NoticeEvent = 'finish' | 'pause';

/** Whom `tempered.config` wants told, and how: by webhook (`url` or `urlEnv`, and `secretEnv`), or by `command`. */
interface ListenerConfig {
  /** What is told. Default: both. */
  readonly events?: readonly NoticeEvent[];
  /** Where the webhook is sent. */
  readonly url?: string;
  /** The variable of the worker that holds the address, when it must not stand in a file. */
  readonly urlEnv?: string;
  /** The variable of the worker that holds the secret webhooks are signed with. */
  readonly secretEnv?: string;
  /** A program and its arguments; it reads the message from its standard input. */
  readonly command?: readonly string[];
}

/** Listeners by name. */
export type ListenerConfigs = Readonly<Record<string, ListenerConfig>>;

/** A listener as history shows it: nothing secret. */
export interface Listener {
  /** Its name in the configuration. */
  readonly name: string;
  /** What it is told. */
  readonly on: readonly NoticeEvent[];
  /** A webhook's host, or a command's program. */
  readonly to: string;
}

/** What is told. */
interface Message {
  /** The same in every attempt. */
  readonly id: string;
  /** The batch. */
  readonly batchId: string;
  /** The message's body. */
  readonly body: Json;
}

/** In the environment of commands: batches started there tell nobody, so that no command calls itself for ever. */
export const NOTIFIED_ENV = 'TEMPERED_NOTIFIED';

/** Longest run of a command; milliseconds. */
const COMMAND_LIMIT_MS = 10 * 60_000;

const BOTH: readonly NoticeEvent[] = ['finish', 'pause'];

/** Tells listeners of a process' configuration. */
export class Notifier {
  constructor(
    private readonly configs: ListenerConfigs,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  /** Everybody who is configured here. */
  get listeners(): readonly Listener[] {
    return Object.entries(this.configs).map(([name, config]) => ({
      name,
      on: config.events ?? BOTH,
      to: this.placeOf(config),
    }));
  }

  /**
   * Tells one. Throws `network` when it could not be told, `authentication` when this process lacks its address or
   * secret, `unknown` when it is not configured here.
   */
  async tell(name: string, { id, batchId, body }: Message): Promise<void> {
    const config = this.configs[name];
    if (config === undefined) {
      throw new TemperedError('unknown', `No "notify.${name}" is configured where this worker runs.`, {
        remedy: 'Give every worker the same tempered.config.',
      });
    }
    const text = JSON.stringify(body);
    if (config.command !== undefined) return this.run(config.command, batchId, text);
    const url = new URL(config.url ?? this.variable(name, config.urlEnv));
    const timestamp = Math.floor(Date.now() / 1_000);
    return postWebhook(url, { id, timestamp, body: text }, this.variable(name, config.secretEnv));
  }

  private placeOf({ command, url, urlEnv }: ListenerConfig): string {
    if (command !== undefined) return path.basename(command[0] ?? '');
    const address = url ?? this.env[urlEnv ?? ''];
    return address !== undefined && URL.canParse(address) ? new URL(address).host : `the address in ${urlEnv ?? ''}`;
  }

  private variable(name: string, variable: string | undefined): string {
    const value = this.env[variable ?? ''];
    if (value !== undefined && value !== '') return value;
    throw new TemperedError('authentication', `"notify.${name}" needs ${variable ?? ''}, which is not set here.`, {
      remedy: 'Set it where the workers run.',
    });
  }

  private async run([program = '', ...args]: readonly string[], batchId: string, text: string): Promise<void> {
    const env = { ...this.env, [NOTIFIED_ENV]: batchId };
    const child = spawn(program, args, { env, stdio: ['pipe', 'ignore', 'inherit'], timeout: COMMAND_LIMIT_MS });
    // A program that doesn't read is no mistake.
    child.stdin.on('error', () => undefined).end(text);
    let code: number | null;
    try {
      code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
    } catch (error) {
      throw new TemperedError('unknown', `${program} can't be started.`, { cause: error });
    }
    if (code !== 0) throw new TemperedError('unknown', `${program} ended with ${code ?? 'a signal'}.`);
  }
}
