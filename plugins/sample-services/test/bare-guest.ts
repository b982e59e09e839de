/** Boots a guest's disk on QEMU alone, without libvirt, for tests of what is on the disk. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { QmpConnection } from './qmp-connection.ts';

export interface BareGuestOptions {
  readonly diskPath: string;
  readonly memoryMib: number;
  /** Where its sockets and serial log lie. */
  readonly directory: string;
  /** QEMU's `restrict=on`: the guest reaches nothing, and libslirp drops its UDP answers. */
  readonly closed: boolean;
}

export interface BareGuest extends AsyncDisposable {
  /** e.g. http://127.0.0.1:40123 */
  readonly httpOrigin: string;
  readonly tcpEchoPort: number;
  readonly udpEchoPort: number;
  readonly qmp: QmpConnection;
  serialLog(): Promise<string>;
  /** Resolves with QEMU's exit status. */
  exited(): Promise<number | null>;
}

const httpPort = 8080;
const echoPort = 7;
const bootTimeoutMs = 90_000;

/** Starts QEMU and waits until the guest answers `/health`. */
export async function bootBareGuest({ diskPath, memoryMib, directory, closed }: BareGuestOptions): Promise<BareGuest> {
  const [http, tcpEcho, udpEcho] = [await freeTcpPort(), await freeTcpPort(), await freeUdpPort()];
  const serialPath = path.join(directory, 'serial.log');
  const qmpPath = path.join(directory, 'qmp');
  const forwards = [`tcp:127.0.0.1:${http}-:${httpPort}`, `tcp:127.0.0.1:${tcpEcho}-:${echoPort}`, `udp:127.0.0.1:${udpEcho}-:${echoPort}`];
  const network = ['user', 'id=n0', `restrict=${closed ? 'on' : 'off'}`, ...forwards.map((forward) => `hostfwd=${forward}`)].join();
  const machine = [
    '-machine',
    'q35',
    '-accel',
    'tcg',
    '-cpu',
    'max',
    '-m',
    `${memoryMib}`,
    '-nodefaults',
    '-display',
    'none',
    '-no-reboot',
  ];
  const devices = ['-netdev', network, '-device', 'virtio-net-pci,netdev=n0,addr=0x10', '-device', 'pvpanic', '-action', 'panic=pause'];
  const outside = ['-serial', `file:${serialPath}`, '-qmp', `unix:${qmpPath},server=on,wait=off`];
  const disk = ['-drive', `if=virtio,format=qcow2,snapshot=on,file=${diskPath}`];
  const qemu = spawn('qemu-system-x86_64', [...machine, ...disk, ...devices, ...outside], { stdio: ['ignore', 'ignore', 'inherit'] });
  const exit = new Promise<number | null>((resolve) => qemu.once('close', resolve));
  const serialLog = (): Promise<string> => readFile(serialPath, 'utf8');
  try {
    const httpOrigin = `http://127.0.0.1:${http}`;
    await healthy(httpOrigin, qemu, serialLog);
    const qmp = await QmpConnection.open(qmpPath);
    const dispose = async (): Promise<void> => {
      qmp.close();
      qemu.kill('SIGKILL');
      await exit;
    };
    return { httpOrigin, tcpEchoPort: tcpEcho, udpEchoPort: udpEcho, qmp, serialLog, exited: () => exit, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    qemu.kill('SIGKILL');
    await exit;
    throw error;
  }
}

/** QEMU accepts connections before the guest does, so each try is short and starts afresh. */
async function healthy(origin: string, qemu: ChildProcess, serialLog: () => Promise<string>): Promise<void> {
  const deadline = Date.now() + bootTimeoutMs;
  while (qemu.exitCode === null && Date.now() < deadline) {
    const answer = await fetch(`${origin}/health`, { signal: AbortSignal.timeout(150) }).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.ok) return;
    await sleep(50);
  }
  throw new Error(`The guest did not get ready. Its console:\n${await serialLog()}`);
}

async function freeTcpPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('No free TCP port.');
  return address.port;
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}
