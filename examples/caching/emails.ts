import { defineTask } from 'tempered';
import { instructions, question } from '../emails/task.js';

/** A worked example: From, Subject and Date headers, what they say, and why the mail is spam or not. */
type Worked = readonly [from: string, subject: string, date: string, answer: object, why: string];

/** The answer of a worked example. */
const says = (sender: string | null, address: string | null, subject: string, date: string | null, spam: boolean) => ({
  sender,
  address,
  subject,
  date,
  spam,
});

const WORKED: readonly Worked[] = [
  [
    'Rob van Dam <rvd@example.nl>',
    'Re: [zzzzteana] Surveyed, the crop circles of 2002',
    'Mon, 26 Aug 2002 10:12:44 +0200',
    says('Rob van Dam', 'rvd@example.nl', 'Re: [zzzzteana] Surveyed, the crop circles of 2002', '2002-08-26', false),
    'A list member answers another one; quoting a headline does not make it advertising.',
  ],
  [
    'Investor Alert <alerts8812@example.biz>',
    'THIS STOCK IS READY TO EXPLODE',
    'Tue, 27 Aug 2002 03:55:10 -1900',
    says('Investor Alert', 'alerts8812@example.biz', 'THIS STOCK IS READY TO EXPLODE', '2002-08-27', true),
    'A stock tip nobody asked for. The zone of the Date header is impossible, but its day can be read.',
  ],
  [
    '"Netscape News" <news@example.com>',
    'Your weekly headlines',
    'Fri, 30 Aug 2002 06:00:00 -0700 (PDT)',
    says('Netscape News', 'news@example.com', 'Your weekly headlines', '2002-08-30', false),
    'A newsletter with an ordinary way to unsubscribe, although it carries advertisements between its articles.',
  ],
  [
    'Mrs Mariam Sese <mariamsese@example.co.za>',
    'URGENT ASSISTANCE REQUIRED',
    'Sat, 31 Aug 2002 22:41:03 +0100',
    says('Mrs Mariam Sese', 'mariamsese@example.co.za', 'URGENT ASSISTANCE REQUIRED', '2002-08-31', true),
    'A widow who needs an account to move millions: advance-fee fraud, however polite it is.',
  ],
  [
    'bugzilla-daemon@bugs.example.org',
    '[Bug 14213] New: crash when the index is rebuilt',
    'Sun, 01 Sep 2002 18:00:59 -0400',
    says(
      null,
      'bugzilla-daemon@bugs.example.org',
      '[Bug 14213] New: crash when the index is rebuilt',
      '2002-09-01',
      false,
    ),
    'A machine tells a project about a defect. There is no display name, and none is guessed from the address.',
  ],
  [
    '=?iso-8859-1?Q?Fran=E7ois_L=E9ger?= <F.Leger@Example.FR>',
    '=?iso-8859-1?Q?R=E9union_de_jeudi?=',
    'Wed, 04 Sep 02 09:30:00 +0200',
    says('François Léger', 'f.leger@example.fr', 'Réunion de jeudi', '2002-09-04', false),
    'One person writes to another. Encoded words are decoded, the address is in lower case, the year is 2002.',
  ],
  [
    'Herbal Life Weight Loss <offer@example.info>',
    'lose   22.5 lbs in 3 weeks!  jkwq',
    'Thu, 5 Sep 2002 12:00:00 GMT',
    says('Herbal Life Weight Loss', 'offer@example.info', 'lose 22.5 lbs in 3 weeks! jkwq', '2002-09-05', true),
    'Medicine from strangers, with random letters that are to mislead filters. Runs of white space become one blank.',
  ],
  [
    'Orders <orders@shop.example.com>',
    'Your order 104-2231 has been shipped',
    'Fri, 06 Sep 2002 08:15:27 -0500',
    says('Orders', 'orders@shop.example.com', 'Your order 104-2231 has been shipped', '2002-09-06', false),
    'A notice about something the reader did: an order. That it names other offers at its end changes nothing.',
  ],
  [
    'security@bank.example.net (Customer Care)',
    'Verify your account within 24 hours',
    'not a date',
    says('Customer Care', 'security@bank.example.net', 'Verify your account within 24 hours', null, true),
    'It asks for a password by mail: phishing. The Date header is no date, and no other header is asked for one.',
  ],
  [
    'root@localhost',
    'Cron <root@mail> run-parts /etc/cron.daily',
    'Sat, 07 Sep 2002 04:02:01 -0400',
    says(null, null, 'Cron <root@mail> run-parts /etc/cron.daily', '2002-09-07', false),
    'A machine reports to its owner. Nothing can be delivered to localhost from elsewhere, so there is no address.',
  ],
  [
    'Kim <kim4you@example.tv>',
    'Re: your mail',
    'Sun, 08 Sep 2002 02:11:00 +0800',
    says('Kim', 'kim4you@example.tv', 'Re: your mail', '2002-09-08', true),
    'A forged reply to a conversation that never was; what follows is an advertisement for a dating site.',
  ],
  [
    'Elias Sinderson <elias@example.edu>',
    'Re: sprint delivers the next big thing??',
    'Tue, 10 Sep 2002 17:20:31 -0700',
    says('Elias Sinderson', 'elias@example.edu', 'Re: sprint delivers the next big thing??', '2002-09-10', false),
    'People on a list discuss a product. Enthusiasm is no sale: the writer gains nothing if somebody acts.',
  ],
  [
    'Publishers Club <club@example.com>, Second <two@example.com>',
    'You are a WINNER',
    'Wed, 11 Sep 2002 00:00:00 +0000',
    says('Publishers Club', 'club@example.com', 'You are a WINNER', '2002-09-11', true),
    'A lottery nobody entered. Of several addresses in the From header the first one counts.',
  ],
  [
    'Tim Peters <tim.one@example.net>',
    '[Spambayes] test sets?',
    'Thu, 12 Sep 2002 01:09:08 -0400',
    says('Tim Peters', 'tim.one@example.net', '[Spambayes] test sets?', '2002-09-12', false),
    'A message of a mailing list that is full of quoted spam, because spam is what the list is about.',
  ],
  [
    'MAILER-DAEMON@mx.example.org (Mail Delivery System)',
    'Undelivered Mail Returned to Sender',
    'Fri, 13 Sep 2002 19:45:12 +0100 (IST)',
    says(
      'Mail Delivery System',
      'mailer-daemon@mx.example.org',
      'Undelivered Mail Returned to Sender',
      '2002-09-13',
      false,
    ),
    'A delivery failure. The old form of the From header has the name in parentheses.',
  ],
  [
    'Refinance Now <rates@example.us>',
    'Fwd: as you requested',
    'Sat, 14 Sep 2002 11:11:11 -0600',
    says('Refinance Now', 'rates@example.us', 'Fwd: as you requested', '2002-09-14', true),
    'It claims a request that was never made, and the only way out is a remove link on a strange domain.',
  ],
  [
    '"Bulk Mail Solutions" <lists4sale@example.cn>',
    '25 million fresh addresses on one CD-ROM',
    'Sun, 15 Sep 2002 05:05:05 +0800',
    says(
      'Bulk Mail Solutions',
      'lists4sale@example.cn',
      '25 million fresh addresses on one CD-ROM',
      '2002-09-15',
      true,
    ),
    'Lists of addresses offered to strangers: advertising for the tools of advertising is spam as well.',
  ],
  [
    'Airline Miles <statement@miles.example.com>',
    'Your statement for August: 12,480 miles',
    'Mon, 16 Sep 2002 07:30:00 -0400',
    says(
      'Airline Miles',
      'statement@miles.example.com',
      'Your statement for August: 12,480 miles',
      '2002-09-16',
      false,
    ),
    'A statement of an account the reader has. The partner offers below the figures do not decide what it is.',
  ],
  [
    'Gordon Mohr <gojomo@example.com>',
    'Re: Java is for kiddies',
    'Tue, 17 Sep 2002 13:37:00 -0700',
    says('Gordon Mohr', 'gojomo@example.com', 'Re: Java is for kiddies', '2002-09-17', false),
    'Heated, off-topic and rude, but a message of a list from one person to others.',
  ],
  [
    'University Diplomas <registrar77@example.ws>',
    'A degree in two weeks, no tests, no classes',
    'Wed, 18 Sep 2002 23:59:59 -0000',
    says(
      'University Diplomas',
      'registrar77@example.ws',
      'A degree in two weeks, no tests, no classes',
      '2002-09-18',
      true,
    ),
    'Degrees for sale. A telephone number instead of a link changes nothing.',
  ],
  [
    'Mum',
    'photos from the garden',
    'Thu, 19 Sep 2002 20:20:20 +0100',
    says('Mum', null, 'photos from the garden', '2002-09-19', false),
    'A private message. The From header holds nothing that could be an address, so there is none.',
  ],
];

const worked = WORKED.map(([from, subject, date, answer, why]) =>
  [`From: ${from}`, `Subject: ${subject}`, `Date: ${date}`, JSON.stringify(answer), `Why: ${why}`].join('\n'),
);

/** The e-mails task with 21 worked examples: a prefix of some 3,000 tokens, the same for every e-mail. */
export default defineTask({
  name: 'emails-worked',
  model: 'anthropic/claude-sonnet-4-6',
  instructions: `${instructions}\n\n# Worked examples\n\n${worked.join('\n\n')}`,
  ...question,
});
