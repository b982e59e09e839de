import { describe, expect, it } from 'vitest';
import type { NewService } from './http.ts';
import { serviceSpecDefaults } from './service.ts';
import { completeSpec } from './complete-spec.ts';

type Given = Parameters<typeof completeSpec>[0];
const http = { name: 'http', protocol: 'tcp', guestPort: 8080 } as const;
const voice = { name: 'voice', protocol: 'udp', guestPort: 5004 } as const;
const given = (more: Partial<NewService> = {}): Given => ({ serviceId: 'my.service', ports: [http], ...more });

describe('completeSpec', () => {
  it('fills in what the author left out', () => {
    expect(completeSpec(given())).toEqual({
      ...serviceSpecDefaults,
      serviceId: 'my.service',
      ports: [http],
      readiness: { kind: 'tcp', guestPort: 8080, timeoutSeconds: 180 },
    });
  });

  it('keeps what the author said', () => {
    const said = {
      vcpus: 2,
      memory: { minimumMib: 64, idealMib: 128 },
      readiness: { kind: 'none' },
      tags: ['a'],
      whenFull: 'refuse',
    } as const;
    expect(completeSpec(given({ ...said, tags: ['a'] }))).toMatchObject(said);
  });

  it('asks no TCP probe of a service whose main port is UDP', () => {
    expect(completeSpec(given({ ports: [voice, http] })).readiness).toEqual({ kind: 'none' });
  });

  it.each<readonly [string, Partial<NewService>, string]>([
    ['a minimum above the ideal', { memory: { minimumMib: 512, idealMib: 256 } }, '/body/memory/minimumMib'],
    ['a port twice', { ports: [http, { ...http, name: 'web' }] }, '/body/ports/1'],
    ['a name twice', { ports: [http, { ...voice, name: 'http' }] }, '/body/ports/1'],
    ['a probe of a port that is not there', { readiness: { kind: 'tcp', guestPort: 22, timeoutSeconds: 5 } }, '/body/readiness/guestPort'],
    [
      'a probe of a UDP port',
      { ports: [http, voice], readiness: { kind: 'http', guestPort: 5004, path: '/', timeoutSeconds: 5 } },
      '/body/readiness/guestPort',
    ],
    [
      'an address that is none',
      { egress: { mode: 'filtered', internet: false, allow: ['10.0.0.0/8', '300.1.1.1'] } },
      '/body/egress/allow/1',
    ],
  ])('refuses %s, and names where', (_, wrong, pointer) => {
    expect(() => completeSpec(given(wrong))).toThrow(
      expect.objectContaining({
        code: 'invalid-input',
        message: expect.stringContaining(pointer),
        facts: { errors: [{ pointer, message: expect.any(String) }] },
      }),
    );
  });

  it('names all that is wrong at once', () => {
    const wrong = given({
      memory: { minimumMib: 2, idealMib: 1 },
      ports: [http, http],
      readiness: { kind: 'tcp', guestPort: 1, timeoutSeconds: 1 },
    });
    expect(() => completeSpec(wrong)).toThrow(
      expect.objectContaining({ facts: { errors: [expect.anything(), expect.anything(), expect.anything()] } }),
    );
  });

  it('takes the same port for TCP and for UDP', () => {
    const ports = [http, { name: 'http3', protocol: 'udp', guestPort: 8080 } as const];
    expect(completeSpec(given({ ports })).ports).toEqual(ports);
  });

  it('leaves ports to the image of a container alone', () => {
    expect(completeSpec({ serviceId: 'my.service' }, { portsFromImage: true })).toMatchObject({ ports: [], readiness: { kind: 'none' } });
    expect(() => completeSpec({ serviceId: 'my.service' })).toThrow(
      expect.objectContaining({ facts: { errors: [{ pointer: '/body/ports', message: 'is missing' }] } }),
    );
  });
});
