/** The words of a name: `customerEmail`, `customer_email` and `Customer e-mail` give the same. */
export function nameWords(name: string): readonly string[] {
  return name
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\d]+/u)
    .filter((word) => word !== '');
}

/** One line without doubled blanks. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** The rest of the first line that begins with a label (`From: …`), folded lines included; the labels in order. */
export function labelled(text: string, labels: readonly string[]): string | undefined {
  for (const label of labels) {
    const words = nameWords(label).map(escaped).join('[ _-]?');
    if (words === '') continue;
    const line = new RegExp(`^[ \\t>*#-]*${words}[ \\t]*[:=][ \\t]*([^\\n]*(?:\\n[ \\t]+\\S[^\\n]*)*)`, 'im').exec(
      text,
    );
    const found = line?.[1] === undefined ? undefined : oneLine(decodeWords(line[1]));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Decodes a mail header's encoded words: `=?iso-8859-1?Q?J=F6rg?=`. */
function decodeWords(text: string): string {
  return text
    .replace(/(\?=)\s+(=\?)/g, '$1$2')
    .replace(/=\?([\w-]+)\?([QB])\?([^?]*)\?=/gi, (whole, charset: string, form: string, coded: string) => {
      const bytes =
        form.toUpperCase() === 'B'
          ? Buffer.from(coded, 'base64')
          : Buffer.from(
              coded
                .replaceAll('_', ' ')
                .replace(/=([\dA-F]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16))),
              'latin1',
            );
      try {
        return new TextDecoder(charset).decode(bytes);
      } catch {
        // A character set nobody knows: the word stays as it was sent.
        return whole;
      }
    });
}

/** The text after its header lines (`Name: value`), if it begins with some. */
export function bodyOf(text: string): string {
  const lines = text.split('\n');
  let at = 0;
  while (at < lines.length && /^(?:[A-Z][\w-]{1,40}: ?|[ \t]+\S)/.test(lines[at] ?? '')) at += 1;
  const body = lines.slice(at).join('\n');
  // Lines of fields are all there is to a record; a mail without a body says nothing.
  return /\p{L}/u.test(body) || /^(?:from|subject): ?/im.test(text) ? body : text;
}

/** Sentences of the text proper, quoted lines left out, without white space around. */
export function sentences(text: string): readonly string[] {
  const own = bodyOf(text)
    .split('\n')
    .filter((line) => !/^\s*[>|]/.test(line))
    .join('\n')
    .replace(/<[^>\n]{1,200}>/g, ' ');
  return own
    .split(/(?<=(?<!\d|\b(?:Mr|Mrs|Ms|Dr|Art|Nr|St|vs|etc))[.!?。！？])(?:\s+|(?<=[。！？]))|\n{2,}/u)
    .map(oneLine)
    .filter((sentence) => /\p{L}{2,}/u.test(sentence));
}

/** Cuts at a word's end, with an ellipsis, to at most `length` characters. */
export function shorten(text: string, length: number): string {
  if (text.length <= length) return text;
  if (length < 2) return text.slice(0, length);
  const cut = text.slice(0, length - 1);
  const blank = cut.lastIndexOf(' ');
  return `${cut.slice(0, blank > length / 2 ? blank : undefined).trimEnd()}…`;
}

/** How often a word or phrase occurs as a whole, endings aside (`refund` in `refunded`); counts up to `most`. */
export function occurrences(lowerText: string, phrase: string, most = Infinity): number {
  let count = 0;
  if (phrase === '') return count;
  for (let at = lowerText.indexOf(phrase); at !== -1; at = lowerText.indexOf(phrase, at + phrase.length)) {
    const before = lowerText[at - 1] ?? ' ';
    // Scripts without blanks between words have no word boundary to look at.
    if (!/[a-z\d]/.test(before) || !/^[a-z\d]/.test(phrase)) count += 1;
    if (count >= most) break;
  }
  return count;
}
