import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { ServiceSpec } from '../../workflows/contract/service.ts';
import { addSpecOptions, specChange, specOptionsOf, type PresentSpec } from './spec-options.ts';

const present: PresentSpec = {
  memory: { minimumMib: 128, idealMib: 256 },
  ports: [
    { name: 'dns', protocol: 'udp', guestPort: 53 },
    { name: 'http', protocol: 'tcp', guestPort: 8080 },
  ],
  readiness: { kind: 'http', guestPort: 8080, path: '/health', timeoutSeconds: 60 },
};

/** What a command line makes of a service. */
function said(line: string, spec?: PresentSpec): object {
  const command = addSpecOptions(new Command().exitOverride().configureOutput({ writeErr: () => undefined })).option('--json');
  command.parse(line.split(' '), { from: 'user' });
  return specChange(specOptionsOf(command.opts()), spec);
}

describe('what is said of a service on a command line', () => {
  it('is all that a service is made of', () => {
    const every =
      '--description d --version 2 --tag a b --port http=80 --ready /ok --ready-seconds 9 --vcpus 2 --memory 64 --disk-growth-mib 100 --users 5 ' +
      '--when-full refuse --sharing own --idle-seconds 10 --lease-seconds 20 --restart never --egress internet 10.0.0.0/8 --pool 0 --os other';
    const made = said(every);
    expect(made).toEqual({
      description: 'd',
      version: '2',
      tags: ['a', 'b'],
      ports: [{ name: 'http', protocol: 'tcp', guestPort: 80 }],
      readiness: { kind: 'http', guestPort: 80, path: '/ok', timeoutSeconds: 9 },
      vcpus: 2,
      memory: { idealMib: 64, minimumMib: 64 },
      diskGrowthMib: 100,
      maximumUsers: 5,
      whenFull: 'refuse',
      sharing: 'own',
      idleSeconds: 10,
      leaseSeconds: 20,
      restartPolicy: 'never',
      egress: { mode: 'filtered', internet: true, allow: ['10.0.0.0/8'] },
      poolSize: 0,
      osType: 'other',
    });
    // A setting that is new has a flag, too.
    expect(['serviceId', ...Object.keys(made)].toSorted()).toEqual(Object.keys(ServiceSpec.properties).toSorted());
  });

  it('is nothing where nothing is said', () => {
    expect(said('--json', present)).toEqual({});
  });

  it.each([
    ['--memory 512', { idealMib: 512, minimumMib: 128 }],
    ['--memory 64', { idealMib: 64, minimumMib: 64 }],
    ['--minimum-memory 64', { idealMib: 256, minimumMib: 64 }],
    ['--memory 512 --minimum-memory 256', { idealMib: 512, minimumMib: 256 }],
  ])('keeps the other figure of memory: %s', (line, memory) => {
    expect(said(line, present)).toEqual({ memory });
  });

  it.each([
    ['--ready /up', { kind: 'http', guestPort: 8080, path: '/up', timeoutSeconds: 60 }],
    ['--ready 81/up', { kind: 'http', guestPort: 81, path: '/up', timeoutSeconds: 60 }],
    ['--ready 22', { kind: 'tcp', guestPort: 22, timeoutSeconds: 60 }],
    ['--ready none', { kind: 'none' }],
    ['--ready-seconds 5', { kind: 'http', guestPort: 8080, path: '/health', timeoutSeconds: 5 }],
  ])('knows when it is ready: %s', (line, readiness) => {
    expect(said(line, present)).toEqual({ readiness });
  });

  it('reaches nothing by itself again', () => {
    expect(said('--egress none', present)).toEqual({ egress: { mode: 'none' } });
  });

  it.each([
    ['--ready sometimes', 'Write /health'],
    ['--ready', 'argument missing'],
    ['--port 0', 'Write a port'],
    ['--port 70000', 'Write a port'],
    ['--memory -5', 'argument missing|whole number'],
    ['--pool few', 'whole number'],
    ['--os beos', 'Allowed choices'],
  ])('is refused: %s', (line, reason) => {
    expect(() => said(line)).toThrow(new RegExp(reason));
  });

  it('is refused where a probe has no port', () => {
    expect(() => said('--ready /health')).toThrow('which port');
  });
});
