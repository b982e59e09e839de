import { expect, test } from 'vitest';
import { modulesInLoadOrder } from './kernel-modules.ts';

const modulesDep = `kernel/net/core/failover.ko:
kernel/drivers/net/net_failover.ko: kernel/net/core/failover.ko
kernel/drivers/virtio/virtio.ko:
kernel/drivers/net/virtio_net.ko.xz: kernel/drivers/net/net_failover.ko kernel/net/core/failover.ko kernel/drivers/virtio/virtio.ko
kernel/drivers/misc/pvpanic/pvpanic-mmio.ko: kernel/drivers/virtio/virtio.ko
`;

test('loads each module once, after those that it needs', () => {
  const order = modulesInLoadOrder(modulesDep, '', ['virtio_net', 'pvpanic_mmio']);
  expect(order).toEqual([
    'kernel/drivers/virtio/virtio.ko',
    'kernel/net/core/failover.ko',
    'kernel/drivers/net/net_failover.ko',
    'kernel/drivers/net/virtio_net.ko.xz',
    'kernel/drivers/misc/pvpanic/pvpanic-mmio.ko',
  ]);
});

test('has nothing to load for what is part of the kernel', () => {
  expect(modulesInLoadOrder('', 'kernel/drivers/acpi/button.ko\n', ['button'])).toEqual([]);
});

test('names a module that the kernel lacks', () => {
  expect(() => modulesInLoadOrder(modulesDep, '', ['evdev'])).toThrow(/no module evdev/);
});
