import { inheritedEnvironment } from './inherited-environment.ts';
import type { Config } from './settings.ts';
import { toEnvironment } from './to-environment.ts';

/** @returns the whole environment of a child process that loads this configuration as its own */
export const childEnvironment = (config: Config): Record<string, string> => ({ ...inheritedEnvironment(), ...toEnvironment(config) });
