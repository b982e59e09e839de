import { describe, expect, it } from 'vitest';
import { networkPackets, pathOfNetworkDevice } from './virtio-queue.ts';

/** As QEMU 7.2 writes them. */
const devices = [
  '/machine/peripheral/rng0/virtio-backend [virtio-rng]',
  '/machine/peripheral-anon/device[0]/virtio-backend [virtio-net]',
  '/machine/peripheral/virtio-disk0/virtio-backend [virtio-blk]',
].join('\r\n');
const queueStatus = (usedIndex: number): string =>
  [
    '/machine/peripheral-anon/device[0]/virtio-backend:',
    '  device_name:          virtio-net',
    '  queue_index:          0',
    '  inuse:                0',
    `  used_idx:             ${usedIndex}`,
    '  signalled_used:       0',
    '  VRing:',
    '    used:         0x0000000000001234',
  ].join('\r\n');

describe('pathOfNetworkDevice', () => {
  it('is that of the network card among the other devices', () => {
    expect(pathOfNetworkDevice(devices)).toBe('/machine/peripheral-anon/device[0]/virtio-backend');
  });

  it.each(['', "unknown command: 'info virtio'", '/machine/x [virtio-blk]'])('is nowhere in %j', (text) => {
    expect(pathOfNetworkDevice(text)).toBeUndefined();
  });
});

describe('networkPackets', () => {
  it('counts what came in, by the queue towards the guest', async () => {
    const asked: string[] = [];
    const packets = await networkPackets(async (command) => {
      asked.push(command);
      return queueStatus(4711);
    }, '/machine/net');
    expect(packets).toBe('4711');
    expect(asked).toEqual(['info virtio-queue-status /machine/net 0']);
  });

  it('knows nothing where QEMU says nothing of it', async () => {
    expect(await networkPackets(async () => "unknown command: 'info virtio-queue-status'", '/machine/net')).toBeUndefined();
  });
});
