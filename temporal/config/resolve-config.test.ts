import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { describeConfig, formatConfig } from './describe-config.ts';
import { type ConfigInput, resolveConfig } from './resolve-config.ts';
import { type SettingKey, settingKeys, settings } from './settings.ts';
import { toEnvironment } from './to-environment.ts';

const input = (environment: ConfigInput['environment'] = {}, file?: object): ConfigInput => ({
  environment,
  ...(file && { file: { path: '/etc/cloudlet.json', text: JSON.stringify(file) } }),
  workingDir: '/work',
  checkoutDir: '/opt/cloudlet',
  networkAdapters: ['lo', 'eth0'],
});

function refusalOf(given: ConfigInput): CloudletError {
  try {
    resolveConfig(given);
  } catch (error) {
    if (error instanceof CloudletError) return error;
    throw error;
  }
  throw new Error('It was not refused.');
}

function outcomeOf(given: ConfigInput): string {
  try {
    resolveConfig(given);
    return 'answered';
  } catch (error) {
    return (error as Error).name;
  }
}

describe('resolveConfig', () => {
  it('needs nothing to be said', () => {
    const { config, sources, warnings } = resolveConfig(input());
    expect(config).toMatchObject({
      dataDir: '/opt/cloudlet/.cloudlet',
      importDir: '/opt/cloudlet/.cloudlet/import',
      apiHost: '0.0.0.0',
      apiPort: 9999,
    });
    expect(config.guestPorts).toEqual({ first: 20_000, last: 29_999 });
    expect(config.plugins.find(({ name }) => name === 'security-open')?.required).toBe(true);
    expect(config).not.toHaveProperty('databaseUrl');
    expect(sources.apiPort).toEqual({ kind: 'default' });
    expect(warnings).toEqual([]);
  });

  it('lets the environment overrule the file, and the file the defaults', () => {
    const { config, sources } = resolveConfig(input({ CLOUDLET_API_PORT: '8001' }, { apiPort: 8000, managerPort: 8002 }));
    expect(config).toMatchObject({ apiPort: 8001, managerPort: 8002, postgresPort: 0 });
    expect(sources.apiPort).toEqual({ kind: 'environment', name: 'CLOUDLET_API_PORT' });
    expect(sources.managerPort).toEqual({ kind: 'file', name: '/etc/cloudlet.json' });
  });

  it('takes an empty variable for an unset one', () => {
    expect(resolveConfig(input({ CLOUDLET_MEMORY_MIB: '', CLOUDLET_API_PORT: '' })).config).toMatchObject({ apiPort: 9999 });
  });

  it('means a relative path from where it is written', () => {
    expect(resolveConfig(input({ CLOUDLET_DATA_DIR: 'here' })).config.dataDir).toBe('/work/here');
    expect(resolveConfig(input({}, { dataDir: 'there' })).config).toMatchObject({ dataDir: '/etc/there', importDir: '/etc/there/import' });
  });

  it('reads plugins as names or as JSON', () => {
    const { plugins } = resolveConfig(input({ CLOUDLET_PLUGINS: 'security-open, other' })).config;
    expect(plugins).toEqual([{ name: 'security-open', required: true }, { name: 'other' }]);
    const json = '[{"name":"other","options":{"depth":2}}]';
    expect(resolveConfig(input({ CLOUDLET_PLUGINS: json })).config.plugins).toEqual([{ name: 'other', options: { depth: 2 } }]);
  });

  it('names every wrong value at once: where it stands, what it is, what is allowed', () => {
    const { code, message, facts } = refusalOf(
      input({ CLOUDLET_API_PORT: '70000', TEMPORAL_ADDRESS: 'nowhere' }, { guestPorts: '9-1', logLevel: 7 }),
    );
    expect(code).toBe('invalid-input');
    expect(facts.errors?.map(({ pointer }) => pointer)).toEqual(['/apiPort', '/temporalAddress', '/guestPorts', '/logLevel']);
    expect(message).toContain(`CLOUDLET_API_PORT is 70000; allowed: ${settings.apiPort.allowed}.`);
    expect(message).toContain('TEMPORAL_ADDRESS is "nowhere"; allowed: host:port');
    expect(message).toContain('guestPorts in /etc/cloudlet.json is "9-1"; allowed: a range of ports like 20000-29999.');
    expect(message).toContain('logLevel in /etc/cloudlet.json is 7; allowed: fatal, error, warn, info, debug, trace or silent.');
  });

  it('names the adapters that there are', () => {
    expect(refusalOf(input({ CLOUDLET_NETWORK_ADAPTER: 'wlan0' })).message).toContain(
      'is "wlan0"; allowed: one of this host\'s network interfaces, which are lo, eth0.',
    );
  });

  it('refuses ports that are in each other’s way', () => {
    const { message } = refusalOf(input({ CLOUDLET_API_PORT: '20500', CLOUDLET_MANAGER_PORT: '20500' }));
    expect(message).toContain('CLOUDLET_MANAGER_PORT is 20500, but CLOUDLET_API_PORT is 20500 too');
    expect(message).toContain('CLOUDLET_API_PORT is 20500, which lies in CLOUDLET_GUEST_PORTS (20000-29999)');
    expect(resolveConfig(input({ CLOUDLET_API_PORT: '0', CLOUDLET_MANAGER_PORT: '0' })).config.apiPort).toBe(0);
  });

  it('suggests what an unknown name was meant to be', () => {
    expect(refusalOf(input({}, { apiPrt: 1 })).message).toContain('apiPrt in /etc/cloudlet.json is no setting; did you mean apiPort?');
    expect(refusalOf(input({}, { zzzzzzzzzzzz: 1 })).message).toMatch(/zzzzzzzzzzzz in \/etc\/cloudlet.json is no setting\.$/);
    expect(resolveConfig(input({ CLOUDLET_API_PROT: '1', CLOUDLET_CONFIG: 'x' })).warnings).toEqual([
      'The environment variable CLOUDLET_API_PROT is no setting and is passed over; did you mean CLOUDLET_API_PORT?',
    ]);
  });

  it('says where a file is no JSON, or no object', () => {
    const broken = { ...input(), file: { path: '/etc/cloudlet.json', text: '{ "apiPort": ' } };
    expect(refusalOf(broken).message).toMatch(/^\/etc\/cloudlet.json is not JSON: /);
    expect(refusalOf(input({}, [1])).message).toBe('/etc/cloudlet.json must hold one JSON object with settings as its keys.');
  });

  it('never shows a password, not even in a value that it refuses', () => {
    const good = resolveConfig(input({ DATABASE_URL: 'postgresql://me:hunter2@db/x?sslpassword=hunter2' }));
    expect(formatConfig(good)).toContain('postgresql://me:***@db/x?sslpassword=***');
    for (const url of ['mysql://me:hunter2@db/x', 'postgresql://me:hunter2@[', 'hunter2']) {
      expect(refusalOf(input({ DATABASE_URL: url })).message).not.toContain('hunter2');
    }
    expect(JSON.stringify(describeConfig(good))).not.toContain('hunter2');
    const plugins = [{ name: 'x', options: { apiToken: 'hunter2', deep: [{ password: 'hunter2' }] } }];
    expect(formatConfig(resolveConfig(input({}, { plugins })))).not.toContain('hunter2');
    expect(refusalOf(input({}, { plugins: [...plugins, { name: 7 }] })).message).not.toContain('hunter2');
  });

  // No text of these is right for any setting that is not free text.
  const nonsense = fc.constantFrom(' ', '\u0000', '-1', '../..', '[{"name":1}]', '{}', ':b:c', 'ünïcödé ☃', 'x'.repeat(500));
  const strict = settingKeys.filter((key) => !['dataDir', 'importDir', 'networkAdapter'].includes(key));

  it('refuses nonsense with a message that names variable, value and what is allowed', () => {
    fc.assert(
      fc.property(fc.constantFrom(...strict), nonsense, (key, text) => {
        const { env, allowed } = settings[key];
        const { message, facts } = refusalOf(input({ [env]: text }));
        expect(facts.errors).toHaveLength(1);
        expect(message).toContain(`${env} is `);
        expect(message).toContain(`allowed: ${allowed}.`);
      }),
    );
  });

  it.each(['apiPort', 'managerPort', 'memoryMib', 'apiHost'] as const)('takes no strange number for %s', (key) => {
    for (const text of ['1.5', '0x10', '99999999999', '1 2', '300.1.1.1']) {
      expect(refusalOf(input({ [settings[key].env]: text })).message).toContain(`${settings[key].env} is `);
    }
  });

  it('never does anything but answer or refuse, whatever a file holds', () => {
    const keys = fc.oneof(fc.constantFrom<string>(...settingKeys), fc.string());
    fc.assert(
      fc.property(fc.dictionary(keys, fc.jsonValue(), { maxKeys: 6 }), (file) => {
        expect(outcomeOf(input({}, file))).toMatch(/^(answered|CloudletError)$/);
      }),
    );
  });
});

describe('toEnvironment', () => {
  const port = fc.integer({ min: 0, max: 9000 });
  const file = fc.record<Partial<Record<SettingKey, unknown>>>(
    {
      dataDir: fc.constantFrom('/var/lib/cloudlet', '/a b/ü'),
      apiPort: port,
      managerPort: port.map((number) => (number === 0 ? 0 : number + 9001)),
      databaseUrl: fc.constantFrom('postgresql://u:p%40@h:1/d', 'postgres://h/d'),
      memoryMib: fc.integer({ min: 64, max: 100_000 }),
      guestPorts: fc.tuple(fc.integer({ min: 20_000, max: 30_000 }), fc.integer({ min: 30_000, max: 65_535 })).map(([a, b]) => `${a}-${b}`),
      plugins: fc.uniqueArray(
        fc.record(
          { name: fc.constantFrom('a', 'b-c', 'd'), required: fc.boolean(), options: fc.dictionary(fc.string(), fc.jsonValue()) },
          { requiredKeys: ['name'] },
        ),
        {
          selector: ({ name }) => name,
        },
      ),
    },
    { requiredKeys: [] },
  );

  it('gives a child the same configuration', () => {
    fc.assert(
      fc.property(file, (given) => {
        const { config } = resolveConfig(input({}, JSON.parse(JSON.stringify(given)) as object));
        expect(JSON.parse(JSON.stringify(resolveConfig(input(toEnvironment(config))).config))).toEqual(JSON.parse(JSON.stringify(config)));
      }),
    );
  });
});
