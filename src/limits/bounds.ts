/** Longest wait of a prompt at the worker's gate before its activity gives the slot back; milliseconds. */
export const GATE_BOUND_MS = 30_000;

/** How long a page of records starts prompts before it gives back what is left; milliseconds. */
export const PAGE_BOUND_MS = 30_000;

/** How stale a control row may be that a worker goes by; milliseconds. */
export const CONTROL_STALE_MS = 500;
