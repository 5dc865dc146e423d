import { chmod } from 'node:fs/promises';
import path from 'node:path';
import { CliFolder, jsonOf } from '../support/cli.js';

jest.setTimeout(120_000);

const TASK = { name: 'left', model: 'ollama/any', prompt: 'Say: {{text}}', maxOutputTokens: 100 };

let folder: CliFolder;

beforeAll(async () => {
  folder = await CliFolder.make();
  await folder.write('task.json', TASK);
});
afterAll(() => folder.remove());

test('Ctrl-C while records are loaded drops them and says how to start again', async () => {
  const line = (i: number) => `{"id":"r${i}","text":"${'word '.repeat(40)}${i}"}\n`;
  await folder.write('many.jsonl', Array.from({ length: 300_000 }, (_, i) => line(i)).join(''));
  const running = folder.start(['run', 'task.json', 'many.jsonl'], { TEMPORAL_ADDRESS: '127.0.0.1:9' });
  await running.wrote(/50,000 records loaded/);
  running.child.kill('SIGINT');
  const end = await running.end;
  expect(end.code).toBe(3);
  expect(end.stderr).toContain('nothing was sent to a model');
  expect(end.stderr).toContain('Start it: tempered run task.json many.jsonl');
  expect(jsonOf(await folder.run(['status', '--json']))).toMatchObject({ batches: [] });
});

test('Ctrl-C while the server starts ends the command; what was loaded stays', async () => {
  await folder.write('few.jsonl', '{"text":"a"}\n');
  // A server that never answers.
  const program = path.join(folder.path, 'temporal');
  await folder.write(
    'temporal',
    '#!/bin/sh\n[ "$1" = server ] || exec echo "temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)"\nexec sleep 30\n',
  );
  await chmod(program, 0o755);
  const running = folder.start(['run', 'task.json', 'few.jsonl'], { TEMPORAL_CLI_PATH: program });
  await running.wrote(/Starting the Temporal server/);
  running.child.kill('SIGINT');
  const end = await running.end;
  expect(end.code).toBe(3);
  expect(end.stderr).toContain('Start it: tempered run task.json few.jsonl');
  await folder.run(['down']);
});

test('a second Ctrl-C ends at once', async () => {
  const sim = folder.start(['sim']);
  await sim.wrote('# Simulator on');
  sim.child.kill('SIGINT');
  sim.child.kill('SIGINT');
  expect([0, 3]).toContain((await sim.end).code);
});
