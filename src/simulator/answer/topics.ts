import { nameWords, occurrences } from './text.js';

/** Words by which a text shows that it is about something. Several per line belong to one of the topic's names. */
const TOPICS: readonly { readonly names: string; readonly signs: string }[] = [
  {
    names: 'delivery shipping shipment logistics',
    signs:
      'parcel|package|deliver|shipp|tracking|arriv|courier|label created|lieferung|paket|livraison|colis|envío|paquete',
  },
  {
    names: 'billing payment invoice charge finance',
    signs:
      'charge|invoice|bill|payment|paid|pay |card|visa|vat|bank|price|discount|voucher|rechnung|facture|factura|3d secure|checkout',
  },
  {
    names: 'return refund exchange',
    signs: 'return|refund|money back|swap|exchange|send back|send it back|rücksendung|rembours|devol|zurück',
  },
  {
    names: 'product quality hardware defect',
    signs:
      'broke|broken|leak|zip|tent|backpack|jacket|stove|rope|thermos|size|material|seam|strap|defect|warranty|worn|pole|tear|tore',
  },
  {
    names: 'account login access password user',
    signs:
      'account|log in|login|password|reset|sign in|profile|points|newsletter|konto|e-mail address|2fa|delete my data|gdpr',
  },
  {
    names: 'technical bug error crash website app software',
    signs:
      "error|bug|crash|app |website|page|browser|safari|chrome|code |button|loads|404|500|doesn't work|api|timeout|exception|fails",
  },
  {
    names: 'feedback praise review suggestion compliment',
    signs: 'love|great|thank you|star|suggest|idea|feedback|wish you|would be nice|happy|praise|well done|review',
  },
  {
    names: 'spam advertising scam phishing junk promotional',
    signs:
      'viagra|mortgage|lottery|free!!|click here|click below|act now|100% free|guarantee|make money|earn money|work from home|no obligation|limited time|manufacturer|best price|moq|seo|crypto|winner|casino|cheap|remove yourself|opt-in|unsubscribe here|million dollars|investment|$$$|viewing|weight loss|adult|xxx|credit card debt|credit report|toner|bulk e-mail|bulk email|buy now|order now|special offer',
  },
  {
    names: 'unsolicited bulk',
    signs:
      'click|removed|guaranteed|cash|debt|loan|income|opportunity|no risk|risk free|100%|!!!|insurance|per week|a week|your email address|lose weight|pounds|toll free|toll-free|internet marketing|mailing address|unsecured|million|beneficiary|transfer|dear friend|adult|girls|offer|free ',
  },
  {
    names: 'ham personal list legitimate',
    signs:
      'wrote:|re:|mailing list|patch|linux|cvs|debian|perl|spamassassin|list-id|sourceforge|kernel|attached is|meeting',
  },
  {
    names: 'question inquiry info information request how',
    signs: '?|how do|how can|can you|could you|where|when|which|wie |wann|wo |comment|cómo',
  },
  {
    names: 'complaint problem issue',
    signs: 'complain|unacceptable|disappoint|problem|issue|worst|terrible|angry|beschwerde',
  },
  { names: 'cancellation cancel', signs: 'cancel|terminate|stornier|annul' },
  { names: 'legal lawyer compliance', signs: 'lawyer|legal|court|gdpr|sue|attorney|police' },
  { names: 'sales order purchase', signs: 'order|buy|purchase|quote|availab|in stock|bestell|commande|pedido' },
  { names: 'security fraud hacked', signs: 'fraud|hacked|stolen|phish|unauthorized|did not do this|security' },
  {
    names: 'urgent critical emergency escalate escalation blocker highest',
    signs:
      'urgent|asap|immediately|emergency|today|fraud|danger|fire|burn|injur|stolen|hacked|sofort|before it ships|right now|lawyer|carbon monoxide',
  },
  {
    names: 'high important major severe',
    signs:
      "broke|twice|still|never|money back|angry|unacceptable|wrong|missing|cannot|can't|disappoint|third time|weeks|before friday",
  },
  {
    names: 'low minor trivial',
    signs: 'suggest|idea|love|just wanted|no hurry|curious|newsletter|would be nice|whenever',
  },
  {
    names: 'positive happy satisfied good',
    signs: 'love|great|thank|happy|perfect|excellent|wonderful|best |super|fantastic|awesome|merci|danke|gracias',
  },
  {
    names: 'negative unhappy angry dissatisfied bad frustrated',
    signs:
      'angry|not |never|broke|wrong|worst|terrible|unacceptable|disappoint|twice|crime|lawyer|stop|failed|fails|leak|refund|still|bad|hate|useless|!!',
  },
  {
    names: 'human person agent manual review',
    signs: 'human|somebody|someone|call me|lawyer|fraud|manager|speak|refund|twice|angry|decide|injur|police|delete my',
  },
];

const SIGNS: ReadonlyMap<string, readonly string[]> = new Map(
  TOPICS.flatMap(({ names }) => names.split(' ')).map((name) => [
    name,
    TOPICS.filter(({ names }) => names.split(' ').includes(name)).flatMap(({ signs }) => signs.split('|')),
  ]),
);

function signsOf(word: string): readonly string[] {
  return SIGNS.get(word) ?? [];
}

/** Whether a lower-case text says yes to a phrase: by signs of it; by the phrase itself where no signs are known. */
export function signScore(lowerText: string, phrase: string): number {
  const signs = new Set(nameWords(phrase).flatMap(signsOf));
  if (signs.size === 0) return topicScore(lowerText, phrase);
  return [...signs].filter((sign) => occurrences(lowerText, sign, 1) > 0).length;
}

/** How much a lower-case text is about a phrase: the phrase itself counts thrice, signs of it once each. */
export function topicScore(lowerText: string, phrase: string): number {
  const words = nameWords(phrase).filter((word) => !['is', 'has', 'needs', 'should', 'was', 'not'].includes(word));
  const named = occurrences(lowerText, words.join(' ')) * 3;
  const signs = new Set(words.flatMap(signsOf));
  return named + [...signs].filter((sign) => occurrences(lowerText, sign, 1) > 0).length;
}

/** What a careful person chooses when nothing in the text speaks for anything. */
export const NEUTRAL = [
  'other',
  'unknown',
  'none',
  'neutral',
  'normal',
  'medium',
  'general',
  'mixed',
  'unclear',
  'ham',
];
