import type { Config } from './settings.ts';

/** Where processes of this machine reach the API. */
export const localApiUrl = ({ apiHost, apiPort }: Pick<Config, 'apiHost' | 'apiPort'>): string => {
  const host = ['0.0.0.0', '::'].includes(apiHost) ? '127.0.0.1' : apiHost;
  return `http://${host.includes(':') ? `[${host}]` : host}:${apiPort}`;
};
