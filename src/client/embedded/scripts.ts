import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Variables a child needs. No others: keys and tokens stay out of processes that outlive the command. */
const PASSED_ON: readonly string[] = [
  ...['PATH', 'HOME', 'USERPROFILE', 'TMPDIR', 'TEMP', 'TMP', 'LANG', 'LC_ALL', 'TZ', 'SYSTEMROOT', 'XDG_CACHE_HOME'],
  ...[
    'HTTP_PROXY',
    'HTTPS_PROXY',
    'NO_PROXY',
    'http_proxy',
    'https_proxy',
    'no_proxy',
    'SSL_CERT_FILE',
    'SSL_CERT_DIR',
  ],
];

const here = fileURLToPath(import.meta.url);

/** Where the scripts are; a child that runs one has this as its folder, so that packages are found. */
export const SCRIPTS_FOLDER = path.dirname(here);

/** Arguments for Node that run a script of this folder: compiled, or, from the sources (as in tests), through jiti. */
export function scriptArguments(name: 'keeper' | 'download', ...rest: readonly string[]): readonly string[] {
  const extension = path.extname(here);
  const script = path.join(SCRIPTS_FOLDER, `${name}${extension}`);
  return [...(extension === '.ts' ? ['--import', 'jiti/register'] : []), script, ...rest];
}

/** The environment of a child. */
export function childEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(PASSED_ON.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}
