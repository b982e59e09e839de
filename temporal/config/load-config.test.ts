import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from './load-config.ts';

describe('loadConfig', () => {
  let checkoutDir = '';
  const load = (environment: Record<string, string> = {}) => loadConfig({ environment, workingDir: checkoutDir, checkoutDir }).config;
  const write = (path: string, content: object) => writeFileSync(join(checkoutDir, path), JSON.stringify(content));

  beforeEach(() => {
    checkoutDir = mkdtempSync(join(tmpdir(), 'load-config-'));
    mkdirSync(join(checkoutDir, 'data'));
  });
  afterEach(() => rmSync(checkoutDir, { recursive: true }));

  it('reads the file in the data directory before the one in the checkout', () => {
    write('cloudlet.json', { apiPort: 1001 });
    expect(load().apiPort).toBe(1001);
    write('data/cloudlet.json', { apiPort: 1002 });
    expect(load({ CLOUDLET_DATA_DIR: 'data' }).apiPort).toBe(1002);
  });

  it('reads the file that CLOUDLET_CONFIG names, and no other', () => {
    write('cloudlet.json', { apiPort: 1001 });
    write('mine.json', { managerPort: 1003 });
    expect(load({ CLOUDLET_CONFIG: 'mine.json' })).toMatchObject({ apiPort: 9999, managerPort: 1003 });
    expect(() => load({ CLOUDLET_CONFIG: 'none.json' })).toThrow(
      'CLOUDLET_CONFIG is "none.json", but there is no such file; allowed: the path of a JSON file.',
    );
  });

  it('says which file cannot be read', () => {
    mkdirSync(join(checkoutDir, 'cloudlet.json'));
    expect(() => load()).toThrow(`The configuration ${join(checkoutDir, 'cloudlet.json')} cannot be read`);
  });
});
