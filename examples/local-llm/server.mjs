// An OpenAI-compatible endpoint for the model that setup.mjs fetched, on the loopback: GET /v1/models and
// POST /v1/chat/completions. One request at a time, on one thread, so that a batch leaves the machine usable.
//
//   node examples/local-llm/server.mjs [PORT]
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL, fileURLToPath } from 'node:url';
import { CACHE, WEIGHTS } from './setup.mjs';

const MODEL = 'smollm2-135m-instruct';
const CONTEXT_TOKENS = 4096;
const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** A request that can't be served: the status and OpenAI's error body. */
class Refusal extends Error {
  constructor(status, message, code = null) {
    super(message);
    this.status = status;
    this.body = { error: { message, type: 'invalid_request_error', param: null, code } };
  }
}

/** Loads the runtime from the cache folder, where it is no dependency of this package. */
async function loadModel() {
  const entry = createRequire(path.join(CACHE, 'package.json')).resolve('node-llama-cpp');
  const llama = await import(pathToFileURL(entry).href);
  const runtime = await llama.getLlama({
    gpu: false,
    build: 'never',
    progressLogs: false,
    maxThreads: 1,
    logLevel: 'error',
  });
  const model = await runtime.loadModel({ modelPath: WEIGHTS });
  const context = await model.createContext({ contextSize: CONTEXT_TOKENS, sequences: 1, threads: 1 });
  return { llama, model, runtime, sequence: context.getSequence(), wrapper: llama.resolveChatWrapper(model) };
}

/** The content of a message: a string, or parts of which only text means something here. */
function plainText(content) {
  return typeof content === 'string' ? content : content.map((part) => part.text ?? '').join('');
}

/** OpenAI's turns as the runtime's. */
function chatHistory(messages) {
  if (!Array.isArray(messages) || messages.length === 0) throw new Refusal(400, "'messages' must be a non-empty array");
  const turns = messages.map(({ role, content }) => {
    if (role === 'assistant') return { type: 'model', response: [plainText(content)] };
    return { type: role === 'user' ? 'user' : 'system', text: plainText(content) };
  });
  return [...turns, { type: 'model', response: [] }];
}

/** The grammar that holds the model to a JSON schema; undefined for plain text. */
async function grammarFor(runtime, format) {
  if (format === undefined || format.type === 'text') return undefined;
  if (format.type !== 'json_schema') throw new Refusal(400, "'response_format.type' must be 'json_schema' or 'text'");
  try {
    return await runtime.createGrammarForJsonSchema(format.json_schema.schema);
  } catch (error) {
    throw new Refusal(400, `unsupported JSON schema: ${error.message}`, 'invalid_json_schema');
  }
}

/** Answers one chat completion. */
async function complete({ llama, model, runtime, sequence, wrapper }, body, signal) {
  if (body.model !== MODEL) throw new Refusal(404, `The model \`${body.model}\` does not exist`, 'model_not_found');
  if (body.stream) throw new Refusal(400, 'streaming is not supported', 'unsupported_value');
  const history = chatHistory(body.messages);
  const grammar = await grammarFor(runtime, body.response_format);
  const prompt = wrapper.generateContextState({ chatHistory: history }).contextText.tokenize(model.tokenizer).length;
  const room = CONTEXT_TOKENS - prompt - 8;
  if (room < 1)
    throw new Refusal(400, `${prompt} tokens exceed the context of ${CONTEXT_TOKENS}`, 'context_length_exceeded');
  // Every request starts cold: none profits from the one before.
  await sequence.clearHistory();
  const meter = sequence.tokenMeter.getState();
  const chat = new llama.LlamaChat({ contextSequence: sequence, chatWrapper: wrapper, autoDisposeSequence: false });
  const answer = await chat.generateResponse(history, {
    grammar,
    signal,
    maxTokens: Math.min(body.max_tokens ?? body.max_completion_tokens ?? room, room),
    temperature: body.temperature ?? 0.8,
    seed: body.seed,
  });
  chat.dispose({ disposeSequence: false });
  const completion = sequence.tokenMeter.diff(meter).usedOutputTokens;
  const finish = answer.metadata.stopReason === 'maxTokens' ? 'length' : 'stop';
  return {
    id: `chatcmpl-${randomUUID()}`,
    object: 'chat.completion',
    created: Math.floor(Date.now() / 1000),
    model: MODEL,
    choices: [
      { index: 0, message: { role: 'assistant', content: answer.response }, logprobs: null, finish_reason: finish },
    ],
    usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion },
  };
}

/** The request's body as JSON. */
async function readBody(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Refusal(413, 'request body too large');
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new Refusal(400, 'the request body is not JSON');
  }
}

/** Starts the endpoint; resolves with its base URL and a function that ends it. */
export async function serveModel(port = 0) {
  const loaded = await loadModel();
  let last = Promise.resolve();
  /** One after the other: there is one sequence. */
  const inTurn = (work) => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
  const answer = async (request, signal) => {
    const route = `${request.method} ${request.url}`;
    if (route === 'GET /v1/models')
      return { object: 'list', data: [{ id: MODEL, object: 'model', owned_by: 'local' }] };
    if (route !== 'POST /v1/chat/completions') throw new Refusal(404, `no such endpoint: ${route}`, 'unknown_url');
    const body = await readBody(request);
    return inTurn(() => {
      signal.throwIfAborted();
      return complete(loaded, body, signal);
    });
  };
  const server = createServer((request, response) => {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const send = (status, body) => {
      if (!gone.signal.aborted)
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    answer(request, gone.signal).then(
      (body) => send(200, body),
      (error) => {
        if (error instanceof Refusal) return send(error.status, error.body);
        if (!gone.signal.aborted) console.error(error);
        return send(500, { error: { message: String(error), type: 'server_error', param: null, code: null } });
      },
    );
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${server.address().port}/v1`, model: MODEL, close };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url, model } = await serveModel(Number(process.argv[2] ?? 1234));
  console.log(`${model} answers at ${url}`);
}
