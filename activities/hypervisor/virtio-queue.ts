/** QEMU's monitor on virtio devices: how much a network card has moved. QEMU has this since 7.2. */

/** Queue of packets towards the guest: what clients send moves it, what the guest says on its own does not. */
const receiveQueue = 0;

/** @param text answer to `info virtio` @returns path of the guest's network card, undefined where QEMU names none */
export function pathOfNetworkDevice(text: string): string | undefined {
  return /^\s*(\S+)\s+\[virtio-net\]/m.exec(text)?.[1];
}

/** @returns a count that changes with every packet to the guest, undefined where QEMU does not say */
export async function networkPackets(monitor: (command: string) => Promise<string>, devicePath: string): Promise<string | undefined> {
  const status = await monitor(`info virtio-queue-status ${devicePath} ${receiveQueue}`);
  return /^\s*used_idx:\s+(\d+)/m.exec(status)?.[1];
}
