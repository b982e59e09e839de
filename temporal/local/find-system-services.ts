import { existsSync } from 'node:fs';
import { dbusAddress, busNameHasOwner } from './start-dbus.ts';
import { avahiBusName } from './start-avahi.ts';
import { libvirtUri, socketAnswers } from './start-libvirt.ts';

const systemBus = dbusAddress('/run/dbus/system_bus_socket');

/** @returns the address of the host's own bus, where it answers and has Avahi on it */
export async function findSystemAvahi(): Promise<string | undefined> {
  return (await busNameHasOwner(systemBus, avahiBusName)) ? systemBus : undefined;
}

/** Both daemons that may serve QEMU: the one for everything, and the one for QEMU alone. */
const systemSockets = ['/run/libvirt/libvirt-sock', '/run/libvirt/virtqemud-sock'];

/**
 * The host's own libvirt counts where systemd looks after it: elsewhere it may be somebody's experiment, and nobody
 * would start it again.
 *
 * @returns its URI, where it answers
 */
export async function findSystemLibvirt(): Promise<string | undefined> {
  if (!existsSync('/run/systemd/system')) return undefined;
  for (const socket of systemSockets) {
    if (existsSync(socket) && (await socketAnswers(socket))) return libvirtUri(socket);
  }
  return undefined;
}
