import { type Preview, previewBatch, type PreviewedRequest } from '../../client/preview.js';
import type { AnyTask } from '../../task/defineTask.js';
import { EXIT, type ExitCode } from '../exit.js';
import { money, plural } from '../format.js';
import type { Io } from '../io.js';
import type { RunOptions } from './run.js';

/** `run --dry-run`: checks and renders every record, shows the first requests. Sends and stores nothing. */
export async function dryRun(io: Io, task: AnyTask, data: string, options: RunOptions): Promise<ExitCode> {
  const { limit, idField, onBadInput } = options;
  const preview = await previewBatch(task, data, { limit, idField, onBadInput });
  for (const [number, request] of preview.requests.entries()) {
    io.say(requestText(request, number === 0).join('\n'));
  }
  io.say(closing(task, preview));
  io.result({ task: task.spec.name, taskHash: task.hash, ...preview });
  return EXIT.ok;
}

function requestText(request: PreviewedRequest, first: boolean): readonly string[] {
  const { index, id, model, maxOutputTokens, temperature, effort, worstUsd } = request;
  const parameters = [
    `at most ${maxOutputTokens} tokens`,
    ...(temperature === null ? [] : [`temperature ${temperature}`]),
    ...(effort === null ? [] : [`effort ${effort}`]),
    `worst case ${money(worstUsd)}`,
  ];
  return [
    `── record ${index} (id ${id}) → ${model}, ${parameters.join(', ')}`,
    ...(first && request.instructions !== null ? ['[instructions]', request.instructions] : []),
    ...(first && request.schema !== null ? ['[schema]', JSON.stringify(request.schema)] : []),
    ...request.messages.flatMap(({ role, content }) => [
      `[${role}]`,
      typeof content === 'string' ? content : JSON.stringify(content),
    ]),
    '',
  ];
}

function closing(task: AnyTask, { items, preset, skipped, requests }: Preview): string {
  const parts = [`${plural(items, 'record')} can be sent`];
  if (preset > 0) parts.push(`${preset} of them need no prompt`);
  if (skipped.length > 0) parts.push(`${plural(skipped.length, 'bad record')} would be left out`);
  if (requests.length === 0 && task.spec.functions.includes('prepare')) {
    parts.push('prompts are rendered after prepare(), so none can be shown');
  }
  return `${parts.join('; ')}. Nothing was sent.`;
}
