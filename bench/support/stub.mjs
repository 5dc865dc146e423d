// An OpenAI-compatible server that costs next to nothing: one fixed valid answer, after a settable wait. A process of
// its own (`stub.mjs`), so that the programs under test share no event loop with it. Records say who they are by `#N `.
//
//   POST /control  {"latencyMs": 0, "limitAt": null, "retryAfterS": 1}   sets it and forgets what was counted
//   GET  /counts   {"requests", "records", "repeated", "limited", "inFlight"}
import { createServer } from 'node:http';

const ANSWER = Buffer.from(
  JSON.stringify({
    id: 'stub',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'stub',
    choices: [
      { index: 0, finish_reason: 'stop', message: { role: 'assistant', content: '{"label":"bug","urgent":false}' } },
    ],
    usage: { prompt_tokens: 60, completion_tokens: 10, total_tokens: 70 },
  }),
);
const LIMITED = Buffer.from(JSON.stringify({ error: { message: 'Too many requests', type: 'rate_limit_exceeded' } }));

let settings = { latencyMs: 0, limitAt: null, retryAfterS: 1 };
let counts;
let seen;

function forget() {
  counts = { requests: 0, repeated: 0, limited: 0, inFlight: 0 };
  seen = new Map();
}
forget();

/** Body of a request as text. */
async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function send(response, status, body, headers = {}) {
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length, ...headers });
  response.end(body);
}

function answer(response, body) {
  counts.requests += 1;
  if (settings.limitAt === counts.requests) {
    counts.limited += 1;
    send(response, 429, LIMITED, { 'retry-after': String(settings.retryAfterS) });
    return;
  }
  const record = Number(/#(\d+) /.exec(body)?.[1]);
  const times = (seen.get(record) ?? 0) + 1;
  seen.set(record, times);
  if (times > 1) counts.repeated += 1;
  if (settings.latencyMs === 0) {
    send(response, 200, ANSWER);
    return;
  }
  counts.inFlight += 1;
  setTimeout(() => {
    counts.inFlight -= 1;
    send(response, 200, ANSWER);
  }, settings.latencyMs);
}

const server = createServer(async (request, response) => {
  let body;
  try {
    body = await bodyOf(request);
  } catch {
    // Whoever asked was killed.
    return;
  }
  if (request.url === '/counts') {
    send(response, 200, Buffer.from(JSON.stringify({ ...counts, records: seen.size })));
  } else if (request.url === '/control') {
    settings = { latencyMs: 0, limitAt: null, retryAfterS: 1, ...JSON.parse(body) };
    forget();
    send(response, 200, Buffer.from('{}'));
  } else {
    answer(response, body);
  }
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
