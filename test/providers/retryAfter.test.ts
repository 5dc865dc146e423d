import { ResponseHeaders } from '../../src/providers/http.js';
import { durationMs, retryAfterFromHeaders } from '../../src/providers/retryAfter.js';

const NOW = new Date('2026-11-21T10:00:00Z');

it.each<[Record<string, string>, number | null]>([
  [{}, null],
  [{ 'retry-after': '0' }, 0],
  [{ 'retry-after': '2' }, 2000],
  [{ 'retry-after': '0.5' }, 500],
  [{ 'retry-after': 'soon' }, null],
  [{ 'retry-after': 'Sat, 21 Nov 2026 10:00:30 GMT' }, 30_000],
  [{ 'retry-after': 'Sat, 21 Nov 2026 09:00:00 GMT' }, 0],
  [{ 'retry-after-ms': '1234.5' }, 1235],
  [{ 'retry-after-ms': '100', 'retry-after': '9' }, 100],
  [{ 'retry-after-ms': 'x', 'retry-after': '9' }, 9000],
])('reads %j', (headers, expected) => {
  expect(retryAfterFromHeaders(new ResponseHeaders(headers), NOW)).toBe(expected);
});

it('reads protobuf durations exactly', () => {
  expect(durationMs('34.4s')).toBe(34_400);
  expect(durationMs('0s')).toBe(0);
  expect(durationMs('1m')).toBeNull();
});
