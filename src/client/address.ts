/** Port Temporal's tools take when an address has none. */
const DEFAULT_PORT = 7233;

/** The port of a `host:port`. */
export function portOf(address: string): number {
  const port = /:(\d+)$/.exec(address)?.[1];
  return port === undefined ? DEFAULT_PORT : Number(port);
}

/** The host of a `host:port`, an IPv6 address without its brackets. */
export function hostOf(address: string): string {
  return address.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}

/** Whether a `host:port` is on this machine. */
export function isLoopback(address: string): boolean {
  const host = hostOf(address);
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
