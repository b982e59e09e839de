import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { runTool } from '../../activities/run-tool.ts';

/** A machine outside this host, in a network namespace of its own: one private address, one that counts as public. */
export interface OutsideWorld {
  /** Of this host, on the way there. */
  readonly hostAddress: string;
  readonly privateAddress: string;
  readonly privateNetwork: string;
  readonly publicAddress: string;
  /** A server answers there, on every address of the namespace. */
  readonly port: number;
  /** What a device out there gets. */
  get(url: string): Promise<string>;
  remove(): Promise<void>;
}

const port = 8123;
const client = `fetch(process.argv[1], { signal: AbortSignal.timeout(10_000) }).then((answer) => answer.text()).then((text) => process.stdout.write(text))`;
const server = `require('node:net').createServer((socket) => socket.end('outside')).listen(${port}, () => process.send('ready'))`;

/** @param number tells namespaces of test runs at the same time apart, 1 to 250 */
export async function createOutsideWorld(number = 1 + (process.pid % 250)): Promise<OutsideWorld> {
  const namespace = `cl-out-${number}`;
  const link = `clout${number}`;
  const [hostAddress, privateAddress, publicAddress] = [`10.177.${number}.1`, `10.177.${number}.2`, '198.51.100.7'];
  const ip = (...args: string[]) => runTool('ip', args);
  let child: ChildProcess | undefined;
  const get = (url: string) => runTool('ip', ['netns', 'exec', namespace, process.execPath, '-e', client, url]);
  const remove = async () => {
    child?.kill('SIGKILL');
    // The link goes with the namespace that holds its other end.
    await ip('netns', 'del', namespace).catch(() => undefined);
  };
  await remove();
  try {
    await ip('netns', 'add', namespace);
    await ip('link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
    await ip('addr', 'add', `${hostAddress}/24`, 'dev', link);
    await ip('link', 'set', link, 'up');
    await ip('-n', namespace, 'addr', 'add', `${privateAddress}/24`, 'dev', 'eth0');
    await ip('-n', namespace, 'addr', 'add', `${publicAddress}/32`, 'dev', 'eth0');
    await ip('-n', namespace, 'link', 'set', 'eth0', 'up');
    await ip('-n', namespace, 'route', 'add', 'default', 'via', hostAddress);
    await ip('route', 'replace', `${publicAddress}/32`, 'via', privateAddress, 'dev', link);
    child = spawn('ip', ['netns', 'exec', namespace, 'setpriv', '--pdeathsig', 'KILL', process.execPath, '-e', server], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    await once(child, 'message');
  } catch (error) {
    await remove();
    throw error;
  }
  return { hostAddress, privateAddress, privateNetwork: `10.177.${number}.0/24`, publicAddress, port, get, remove };
}
