import { defineTask } from 'tempered';

/** Departments of a fictional company, and what each one takes care of. */
const DEPARTMENTS: Readonly<Record<string, string>> = {
  billing: 'invoices, refunds, payment methods, taxes, discounts, and questions about what was charged and why',
  access: 'sign-in, passwords, second factors, locked accounts, invitations, roles and who may see what',
  exports: 'downloads, reports, schedules of reports, formats, missing columns and files that never arrive',
  imports: 'uploads, mappings of columns, duplicates, encodings, dates that are read wrongly and records left out',
  performance: 'pages that load slowly or stay white, timeouts, and work in the background that never ends',
  integrations: 'web hooks, the programming interface, its keys and limits, and connections to other products',
  mobile: 'the apps for telephones and tablets, their notifications, and work without a connection',
  legal: 'contracts, data protection, deletion of data, audits, and certificates of the company',
};

/** How urgent a ticket is, with how it is told. */
const URGENCIES = ['blocks everybody', 'blocks one person', 'is a nuisance', 'is a wish for later'];

const rules = Object.entries(DEPARTMENTS).flatMap(([name, subjects], department) =>
  URGENCIES.map(
    (urgency, rank) =>
      `${department * URGENCIES.length + rank + 1}. If a ticket is about ${subjects}, and what it tells of ${urgency}, it ` +
      `belongs to ${name} with urgency ${rank + 1}. Words of anger raise nothing; numbers of people, a deadline or lost ` +
      'money do. When a ticket tells of several things, the first one that blocks somebody decides.',
  ),
);

/**
 * A task whose long instructions Gemini keeps in an explicit cache. The tags are kept in the cache's name: a later batch
 * finds a cache that was kept (`keepCache`) only if its content is the same and every tag it wants is there.
 */
export default defineTask({
  name: 'tickets-tagged',
  model: 'gemini/gemini-2.5-flash',
  instructions: `You sort support tickets. Name the department and the urgency.\n\n${rules.join('\n')}`,
  prompt: '{{text}}',
  maxOutputTokens: 100,
  optimization: { cache: { cacheTags: { purpose: 'triage', prompt: 'v3' } } },
});
