/** Tokens of an image or PDF where it is estimated: Claude's and Gemini's usual picture comes to about this. */
export const MEDIA_TOKENS = 1500;
