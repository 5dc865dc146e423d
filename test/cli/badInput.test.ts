import { CliFolder, jsonOf } from '../support/cli.js';

const TASK = { name: 'bad-input', model: 'anthropic/claude-sonnet-4-6', prompt: 'Say: {{text}}', maxOutputTokens: 100 };
const RECORD = '{"id":"a","text":"hello"}\n';

let folder: CliFolder;

beforeAll(async () => {
  // A key and an address nobody listens on: what is found after this would be a network error.
  folder = await CliFolder.make({ ANTHROPIC_API_KEY: 'k', ANTHROPIC_BASE_URL: 'http://127.0.0.1:9' });
  await folder.write('task.json', TASK);
  await folder.write('data.jsonl', RECORD);
});
afterAll(() => folder.remove());

/** Runs, and gives the words a person reads; none of them may be a stack trace. */
async function refused(args: readonly string[], env: Record<string, string> = {}, code = 1): Promise<string> {
  const end = await folder.run(args, { TEMPORAL_ADDRESS: '127.0.0.1:9', ...env });
  expect(end.stderr).not.toMatch(/\n {4}at /);
  expect(end).toMatchObject({ code, stdout: '' });
  return end.stderr;
}

describe('the data set', () => {
  const data = async (name: string, content: string | Uint8Array) => {
    await folder.write(name, content);
    return refused(['run', 'task.json', name]);
  };

  test('missing', async () => {
    expect(await refused(['run', 'task.json', 'nowhere.jsonl'])).toMatch(/^nowhere\.jsonl: .*\n {2}\S/);
  });
  test('empty', async () => {
    expect(await data('empty.jsonl', '')).toMatch(/^empty\.jsonl: /);
  });
  test('only blank lines', async () => {
    expect(await data('blank.jsonl', '\n\n')).toMatch(/^blank\.jsonl: .*no records/);
  });
  test('invalid JSON on a line', async () => {
    expect(await data('broken.jsonl', `${RECORD}{"id":"b","text":}\n`)).toMatch(/^broken\.jsonl, line 2: .*JSON/);
  });
  test('a line of 50 MB', async () => {
    const long = `${RECORD}{"text":"${'x'.repeat(50 * 1024 * 1024)}"}\n`;
    expect(await data('long.jsonl', long)).toMatch(/^long\.jsonl, line 2: .*longer than 32 MiB/);
  });
  test('duplicate ids name both lines', async () => {
    const words = await data('twice.jsonl', `${RECORD}{"id":"b","text":"x"}\n\n${RECORD}`);
    expect(words).toMatch(/twice\.jsonl/);
    expect(words).toMatch(/line 1\b/);
    expect(words).toMatch(/line 4\b/);
  });
  test('a field the template wants is missing', async () => {
    const words = await data('field.jsonl', `${RECORD}{"id":"b","txt":"x"}\n`);
    expect(words).toMatch(/^field\.jsonl, line 2: .*text/);
    expect(words).toMatch(/txt/);
  });
  test('another kind of file', async () => {
    expect(await data('data.docx', 'x')).toMatch(/^data\.docx: [\s\S]*\.jsonl/);
  });
  test('BOM, CRLF and UTF-16 are read, not refused', async () => {
    const text = '{"id":"ä","text":"grüße"}\r\n{"id":"b","text":"x"}\r\n';
    await folder.write('bom.jsonl', `\uFEFF${text}`);
    await folder.write('utf16.jsonl', Buffer.from(`\uFEFF${text}`, 'utf16le'));
    for (const name of ['bom.jsonl', 'utf16.jsonl']) {
      const end = await folder.run(['run', 'task.json', name, '--dry-run', '--json']);
      expect(jsonOf(end)).toMatchObject({ items: 2, requests: [{ messages: [{ content: 'Say: grüße' }] }, {}] });
    }
  });
  test('bad records can be left out', async () => {
    await folder.write('some.jsonl', `${RECORD}nonsense\n{"id":"c"}\n`);
    const end = await folder.run(['run', 'task.json', 'some.jsonl', '--on-bad-input', 'skip', '--dry-run', '--json']);
    expect(end.code).toBe(0);
    expect(jsonOf(end)).toMatchObject({ items: 1, skipped: [{ line: 3 }, { line: 2 }] });
  });
});

describe('the task', () => {
  const task = async (name: string, content: unknown) => {
    await folder.write(name, content);
    return refused(['run', name, 'data.jsonl']);
  };

  test('missing', async () => {
    expect(await refused(['run', 'nowhere.json', 'data.jsonl'])).toMatch(/^nowhere\.json: .*\n {2}.*tempered init/);
  });
  test('an unknown setting has its near name', async () => {
    expect(await task('setting.json', { ...TASK, maxOutputTokens: undefined, maxOutputToken: 5 })).toMatch(
      /setting\.json[\s\S]*maxOutputToken[\s\S]*maxOutputTokens/,
    );
  });
  test('an invalid schema', async () => {
    expect(await task('schema.json', { ...TASK, schema: { type: 'objekt' } })).toMatch(/^schema\.json: .*schema/i);
  });
  test('broken JSON', async () => {
    expect(await task('broken.json', '{\n "name": "x",\n oops\n}')).toMatch(/^broken\.json, line 3: /);
  });
  test('an unknown provider has its near name', async () => {
    expect(await task('provider.json', { ...TASK, model: 'antropic/claude-sonnet-4-6' })).toMatch(/anthropic/);
  });
  test('an unknown model has its near names', async () => {
    const words = await task('model.json', { ...TASK, model: 'anthropic/claude-sonet-4-6' });
    expect(words).toMatch(/no model "claude-sonet-4-6"\. Did you mean .*anthropic\/claude-sonnet-4-6/);
  });
  test('no provider in the model', async () => {
    expect(await task('bare.json', { ...TASK, model: 'claude-sonnet-4-6' })).toMatch(/provider\/model/);
  });
});

describe('the surroundings', () => {
  test('a missing key names its variable, before anything is loaded', async () => {
    const words = await refused(['run', 'task.json', 'data.jsonl'], { ANTHROPIC_API_KEY: '' });
    expect(words).toContain('ANTHROPIC_API_KEY');
    expect(jsonOf(await folder.run(['status', '--json']))).toMatchObject({ batches: [] });
  });
  test('a budget without a price', async () => {
    const words = await refused(['run', 'task.json', 'data.jsonl', '--model', 'compatible/x', '--budget', '1']);
    expect(words).toMatch(/price of compatible\/x is not known/);
  });
  test('no server', async () => {
    const words = await refused(['run', 'task.json', 'data.jsonl', '--store', 'sqlite:own/a.db'], {}, 4);
    expect(words).toMatch(/127\.0\.0\.1:9/);
  });
  test('a shared cluster with a store on this machine', async () => {
    const words = await refused(['run', 'task.json', 'data.jsonl', '--address', '192.0.2.1:7233']);
    expect(words).toMatch(/store .* is a file on this machine[\s\S]*postgres/);
  });
  test('a store that cannot be written', async () => {
    const words = await refused(['run', 'task.json', 'data.jsonl', '--store', 'sqlite:task.json/store.db']);
    expect(words).toMatch(/task\.json/);
  });
  test('a config with a literal key', async () => {
    await folder.write('tempered.config.json', {
      providers: { mine: { kind: 'openai-compatible', baseUrl: 'http://x/v1', apiKey: 'sk-secret' } },
    });
    const words = await refused(['run', 'task.json', 'data.jsonl']);
    expect(words).toMatch(/tempered\.config\.json[\s\S]*apiKeyEnv/);
    expect(words).not.toContain('sk-secret');
    await folder.write('tempered.config.json', {});
  });
});
