import { Client, type ClientOptions } from './client/client.ts';

/**
 * Connects to a libvirt daemon: `qemu:///system`, `qemu+unix:///system?socket=/path`, `qemu+tcp://host:16509/system`.
 * See {@link Client.connect}.
 */
export function connect(uri: string, options?: ClientOptions & { readonly signal?: AbortSignal }): Promise<Client> {
  return Client.connect(uri, options);
}
