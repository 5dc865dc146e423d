import { z } from 'zod';
import type { ContentPart, Message } from './spec.js';

/** Reads one part of a turn. */
export const partSchema: z.ZodType<ContentPart> = z.union([
  z.strictObject({ type: z.literal('text'), text: z.string(), cache: z.boolean().exactOptional() }),
  z.strictObject({ type: z.enum(['image', 'pdf']), url: z.string() }),
]);

/** Reads one turn. */
export const messageSchema: z.ZodType<Message> = z.strictObject({
  role: z.enum(['user', 'assistant']),
  content: z.union([z.string(), z.array(partSchema).min(1)]),
});
