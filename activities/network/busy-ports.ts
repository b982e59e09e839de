import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { PortMapping } from '../../workflows/contract/service-vm.ts';

/** Those of an instance's host ports that something else on this host listens on. */
export async function busyPorts(ports: readonly PortMapping[]): Promise<PortMapping[]> {
  const free = await Promise.all(ports.map(({ protocol, hostPort }) => (protocol === 'tcp' ? canListen(hostPort) : canBind(hostPort))));
  return ports.filter((_, index) => !free[index]);
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '0.0.0.0', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

function canBind(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => {
      socket.close();
      resolve(false);
    });
    socket.bind({ port, address: '0.0.0.0', exclusive: true }, () => socket.close(() => resolve(true)));
  });
}
