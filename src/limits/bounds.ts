/** Longest wait of a prompt at the worker's gate before its activity gives the slot back; milliseconds. */
export const GATE_BOUND_MS = 30_000;
