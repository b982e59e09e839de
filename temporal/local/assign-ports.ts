import { randomInt } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { rangeHolds } from '../config/port-range.ts';
import type { Config } from '../config/settings.ts';

const pickable = ['apiPort', 'managerPort', 'postgresPort', 'temporalPort', 'temporalUiPort'] as const;
type PortKey = (typeof pickable)[number];

/** Below the ports that the kernel hands out to clients, so that no passing connection takes a remembered one. */
const firstPick = 10_240;
const lastPick = 19_999;

const Remembered = Type.Record(Type.String(), Type.Integer({ minimum: 1, maximum: 65_535 }));

const rememberedPath = (runDir: string): string => join(runDir, 'ports.json');

function readRemembered(runDir: string): Readonly<Record<string, number | undefined>> {
  try {
    const parsed: unknown = JSON.parse(readFileSync(rememberedPath(runDir), 'utf8'));
    return Value.Check(Remembered, parsed) ? parsed : {};
  } catch {
    return {};
  }
}

/** Whether nobody listens on this port, on any address where none is given. */
export function isPortFree(port: number, host?: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, exclusive: true, ...(host !== undefined && { host }) }, () => server.close(() => resolve(true)));
  });
}

/**
 * Gives every port that the configuration leaves open (0) a free one: the one of last time where it is still free.
 *
 * @param runDir where the choice is remembered
 * @throws CloudletError `capacity-exhausted` where no port is free
 */
export async function assignPorts(config: Config, runDir: string): Promise<Config> {
  const remembered = readRemembered(runDir);
  const chosen: Partial<Record<PortKey, number>> = {};
  const taken = new Set<number>(pickable.map((key) => config[key]));

  const isGood = async (port: number): Promise<boolean> =>
    !taken.has(port) && !rangeHolds(config.guestPorts, port) && (await isPortFree(port));

  for (const key of pickable) {
    if (config[key] !== 0) continue;
    const before = remembered[key];
    let port = before !== undefined && (await isGood(before)) ? before : undefined;
    for (let attempt = 0; port === undefined && attempt < 500; attempt += 1) {
      const candidate = randomInt(firstPick, lastPick + 1);
      if (await isGood(candidate)) port = candidate;
    }
    if (port === undefined) {
      throw new CloudletError(
        'capacity-exhausted',
        `No port from ${firstPick} to ${lastPick} is free for ${key}. Name one in the configuration.`,
      );
    }
    taken.add(port);
    chosen[key] = port;
  }
  writeFileSync(rememberedPath(runDir), JSON.stringify({ ...remembered, ...chosen }), { mode: 0o600 });
  return { ...config, ...chosen };
}
