import { join } from 'node:path';

export interface ManagerCommandOptions {
  /** Folder of a build, as `buildManager` answers. */
  readonly dir: string;
  /** Program that runs it: Node 24 or newer. */
  readonly node: string;
  /** Where it listens, on loopback only. */
  readonly port: number;
  /** Base URL of the cloudlet's API as seen from this machine, e.g. `http://127.0.0.1:9999`. */
  readonly apiUrl: string;
}

export interface ManagerCommand {
  readonly argv: readonly [string, ...string[]];
  /** What it needs beside what any program does. */
  readonly environment: Readonly<Record<string, string>>;
}

const heapMib = 96;
/** Little garbage at a time, so that the process stays small between requests. */
const youngHeapMib = 2;

/** How to run a build. It is ready when `GET /health` answers 200, and ends on SIGTERM or SIGINT. */
export function managerCommand({ dir, node, port, apiUrl }: ManagerCommandOptions): ManagerCommand {
  return {
    argv: [node, `--max-old-space-size=${heapMib}`, `--max-semi-space-size=${youngHeapMib}`, join(dir, 'server.js')],
    environment: {
      NODE_ENV: 'production',
      NEXT_TELEMETRY_DISABLED: '1',
      HOSTNAME: '127.0.0.1',
      PORT: String(port),
      CLOUDLET_API_URL: apiUrl,
    },
  };
}
