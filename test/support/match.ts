/** Jest's asymmetric matchers without their `any`. */

/** A text with this in it. */
export const containing = (part: string): unknown => expect.stringContaining(part);

/** A text that fits. */
export const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);

/** Any number. */
export const aNumber = (): unknown => expect.any(Number);

/** Any text. */
export const aText = (): unknown => expect.any(String);
