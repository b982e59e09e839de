import { CloudletError } from '../../workflows/contract/errors.ts';
import { parameter } from './parameters.ts';
import type { PycloudHandler } from './pycloud.ts';

/** The repository of apps has none yet; phones then show an empty list. */
export const listApps: PycloudHandler = async () => ({ apps: [] });

export const getApp: PycloudHandler = async (_context, request) => {
  const appId = parameter(request, 'appId', 'app_id');
  if (appId === undefined) throw new CloudletError('invalid-input', 'Say which app: appId is missing.');
  throw new CloudletError('not-found', `There is no app "${appId}" on this cloudlet.`);
};
