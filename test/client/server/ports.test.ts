import { once } from 'node:events';
import { createServer } from 'node:net';
import { freePorts, isListening, takenPort } from '../../../src/client/embedded/ports.js';

async function first(folder: string) {
  for await (const ports of freePorts(folder)) return ports;
  throw new Error('no port is free');
}

test('a folder has its own pair of ports, and gets the next free one when it is taken', async () => {
  const ports = await first('/a/folder/of/ports.test');
  expect(await first('/a/folder/of/ports.test')).toEqual(ports);
  expect(await first('/another/folder/of/ports.test')).not.toEqual(ports);
  expect(ports.uiPort).toBe(ports.port + 1);
  const stranger = createServer().listen(ports.uiPort, '127.0.0.1');
  await once(stranger, 'listening');
  expect(await takenPort(ports)).toBe(ports.uiPort);
  expect(await isListening(ports.uiPort)).toBe(true);
  expect((await first('/a/folder/of/ports.test')).port).not.toBe(ports.port);
  stranger.close();
  await once(stranger, 'close');
  expect(await isListening(ports.uiPort)).toBe(false);
});
