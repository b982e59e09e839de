import { formatPortRange, rangeHolds } from './port-range.ts';
import { type Config, type SettingKey, settings } from './settings.ts';

export interface Conflict {
  readonly key: SettingKey;
  /** Continues a sentence that begins with the setting's place. */
  readonly message: string;
}

const portKeys = ['apiPort', 'managerPort', 'postgresPort', 'temporalPort', 'temporalUiPort'] as const satisfies readonly SettingKey[];

/** Values that are each allowed but not together. A port of 0 is picked where there is room and conflicts with nothing. */
export function findConflicts(config: Config): readonly Conflict[] {
  const fixed = portKeys.filter((key) => config[key] !== 0);
  return fixed.flatMap((key, index) => {
    const port = config[key];
    const same = fixed.slice(0, index).find((other) => config[other] === port);
    const conflicts: Conflict[] = [];
    if (same) conflicts.push({ key, message: `is ${port}, but ${settings[same].env} is ${port} too; allowed: a port of its own.` });
    if (rangeHolds(config.guestPorts, port)) {
      const range = formatPortRange(config.guestPorts);
      conflicts.push({ key, message: `is ${port}, which lies in ${settings.guestPorts.env} (${range}); allowed: a port outside it.` });
    }
    return conflicts;
  });
}
