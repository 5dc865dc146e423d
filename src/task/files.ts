import { open } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Place, TemperedError, thrownText } from './errors.js';
import { isLocal, references } from './render.js';
import type { ContentPart, Message, RenderedPrompt } from './spec.js';

/** Biggest image or PDF that is read from a file; bytes. Providers take at most 20 to 32 MB a request. */
const MAX_FILE_BYTES = 20 * 1024 * 1024;

/** How files begin: the content decides what a file is, not its name. */
const SIGNATURES: readonly (readonly [mime: string, start: RegExp])[] = [
  ['image/png', /^\x89PNG\r\n/],
  ['image/jpeg', /^\xff\xd8\xff/],
  ['image/gif', /^GIF8[79]a/],
  ['image/webp', /^RIFF[^]{4}WEBP/],
  ['application/pdf', /^%PDF-/],
];

/** Whether an image or PDF of the prompt is a file, which {@link withFiles} has to read. */
export function needsFiles(rendered: RenderedPrompt): boolean {
  return rendered.messages.some(({ content }) => references(content).some(({ url }) => isLocal(url)));
}

/**
 * The prompt with every image and PDF that is a file turned into a `data:` URL. A relative path starts at the data
 * file's folder, or at the current one for records that came from no file. Throws `input` for a file that is missing,
 * over 20 MB, or neither PNG, JPEG, GIF, WebP nor PDF.
 */
export async function withFiles(rendered: RenderedPrompt, place: Place | undefined): Promise<RenderedPrompt> {
  return { messages: await Promise.all(rendered.messages.map((message) => readParts(message, place))) };
}

async function readParts({ role, content }: Message, place: Place | undefined): Promise<Message> {
  if (typeof content === 'string') return { role, content };
  return { role, content: await Promise.all(content.map((part) => readPart(part, place))) };
}

async function readPart(part: ContentPart, place: Place | undefined): Promise<ContentPart> {
  if (part.type === 'text' || !isLocal(part.url)) return part;
  const folder = place === undefined ? process.cwd() : path.dirname(place.file);
  const file = part.url.startsWith('file:') ? fileURLToPath(part.url) : path.resolve(folder, part.url);
  const bytes = await readBounded(file, place);
  const start = bytes.subarray(0, 16).toString('latin1');
  const mime = SIGNATURES.find(([, signature]) => signature.test(start))?.[0];
  if (mime === undefined || (mime === 'application/pdf') !== (part.type === 'pdf')) {
    const wanted = part.type === 'pdf' ? 'a PDF' : 'a PNG, JPEG, GIF or WebP image';
    throw fileError(`${file} is not ${wanted}`, 'Correct the path, or give the part its right type.', place);
  }
  return { type: part.type, url: `data:${mime};base64,${bytes.toString('base64')}` };
}

async function readBounded(file: string, place: Place | undefined): Promise<Buffer> {
  try {
    await using handle = await open(file);
    const { size } = await handle.stat();
    if (size > MAX_FILE_BYTES) {
      const remedy = 'Use a smaller file, or one the provider reads by URL.';
      throw fileError(`${file} has ${size} bytes; at most ${MAX_FILE_BYTES} can be sent`, remedy, place);
    }
    return await handle.readFile();
  } catch (cause) {
    if (cause instanceof TemperedError) throw cause;
    const text = thrownText(cause);
    throw fileError(`${file} can't be read: ${text}`, 'Correct the path, or give a URL.', place);
  }
}

function fileError(message: string, remedy: string, place: Place | undefined): TemperedError {
  return new TemperedError('input', `${message}.`, { remedy, ...(place === undefined ? {} : { place }) });
}
