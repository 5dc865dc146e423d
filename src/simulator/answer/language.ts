import { bodyOf } from './text.js';

const SCRIPTS: readonly (readonly [string, RegExp])[] = [
  ['ko', /\p{Script=Hangul}/u],
  ['ja', /[\p{Script=Hiragana}\p{Script=Katakana}]/u],
  ['zh', /\p{Script=Han}/u],
  ['uk', /[їієґ]/iu],
  ['ru', /\p{Script=Cyrillic}/u],
  ['ar', /\p{Script=Arabic}/u],
  ['he', /\p{Script=Hebrew}/u],
  ['el', /\p{Script=Greek}/u],
  ['th', /\p{Script=Thai}/u],
  ['hi', /\p{Script=Devanagari}/u],
  ['vi', /[ơưđạảấầẩẫậắằặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]/iu],
];

const COMMON_WORDS: Readonly<Record<string, string>> = {
  en: 'the and is are was you your have has with this that for not of to my what please it but from i a in on at be can do how no we they our an been will would or if me so just when there ok hi hello thanks need says want send like get which who test where cancel their its back',
  de: 'der die das und ist nicht ich sie mit ein eine auf für bei wurde habe mein bitte wir',
  fr: 'le la les des une est pas je vous avec pour dans que mon bonjour merci sur été nous',
  es: 'el los las una es que no con por para mi pero está hola gracias pedido del ha muy',
  it: 'il gli una che non con per sono mio ciao grazie della è ho ordine di questo come',
  pt: 'o os uma que não com para meu minha mas está olá obrigado pedido do da é ainda foi',
  nl: 'de het een en niet ik met voor mijn van is maar hebben kan bestelling graag wat nog',
  sv: 'och att det är inte jag en ett på med för min har som kan tack hej men beställning',
  da: 'og det er ikke jeg en et på med min har som kan tak hej men den af til bestilling',
  no: 'og det er ikke jeg en et på med min har som kan takk hei men den av til bestilling',
  fi: 'ja on ei se että mutta minun kun tilaus kiitos hei olen voi mitä vielä tämä',
  pl: 'i w nie na się jest że do moje mój proszę dziękuję ale czy zamówienie to z jak',
  cs: 'a je se na že to v s moje mám prosím děkuji ale objednávka jak dobrý den není',
  tr: 've bir bu için değil ama çok benim merhaba teşekkürler sipariş ne nasıl var yok',
  hu: 'a az és nem hogy egy van meg de kérem köszönöm rendelés még csak mert ez',
  ro: 'și nu este un o cu pentru mea meu dar mulțumesc bună comanda la din care am',
};

const NAMES: Readonly<Record<string, string>> = {
  ar: 'arabic',
  cs: 'czech',
  da: 'danish',
  de: 'german',
  el: 'greek',
  en: 'english',
  es: 'spanish',
  fi: 'finnish',
  fr: 'french',
  he: 'hebrew',
  hi: 'hindi',
  hu: 'hungarian',
  it: 'italian',
  ja: 'japanese',
  ko: 'korean',
  nl: 'dutch',
  no: 'norwegian',
  pl: 'polish',
  pt: 'portuguese',
  ro: 'romanian',
  ru: 'russian',
  sv: 'swedish',
  th: 'thai',
  tr: 'turkish',
  uk: 'ukrainian',
  vi: 'vietnamese',
  zh: 'chinese',
};

/** ISO 639-1 code of a text's language: by its script, else by its commonest words; `en` when there are none. */
export function languageOf(text: string): string {
  const prose = bodyOf(text).replace(/\S*[@/\\]\S*/g, ' ');
  const letters = prose.match(/\p{L}/gu)?.length ?? 0;
  for (const [code, pattern] of SCRIPTS) {
    const found = prose.match(new RegExp(pattern, 'giu'))?.length ?? 0;
    if (found > 2 && found * 12 > letters) return code;
  }
  const words = prose.toLowerCase().match(/\p{L}+/gu) ?? [];
  const counts = Object.entries(COMMON_WORDS).map(([code, common]) => {
    const known = new Set(common.split(' '));
    return { code, count: words.filter((word) => known.has(word)).length };
  });
  const [best] = counts.sort((a, b) => b.count - a.count);
  const said = best?.count ?? 0;
  // One common word of a language in a text of plain letters is chance.
  return best === undefined || said === 0 || (said === 1 && !/[^\p{ASCII}\p{P}\p{S}]/u.test(prose)) ? 'en' : best.code;
}

/** The code and the English name of a text's language, for choosing among given words. */
export function languageWords(text: string): readonly string[] {
  const code = languageOf(text);
  const name = NAMES[code];
  return name === undefined ? [code] : [code, name];
}

/** The English name of the text's language. */
export function languageName(text: string): string {
  const name = NAMES[languageOf(text)] ?? 'english';
  return name.replace(/^./, (first) => first.toUpperCase());
}

/** Whether an enumeration is one of languages: it contains at least two of their codes or names. */
export function areLanguages(words: readonly string[]): boolean {
  const known = new Set([...Object.keys(NAMES), ...Object.values(NAMES)]);
  return words.filter((word) => known.has(word)).length >= 2;
}
