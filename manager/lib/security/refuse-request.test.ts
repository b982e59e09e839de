import { describe, expect, it } from 'vitest';
import { refuseRequest, type RequestFacts } from './refuse-request.ts';

const facts = (given: Partial<RequestFacts>): RequestFacts => ({
  method: 'GET',
  host: '127.0.0.1:9998',
  origin: null,
  fetchSite: null,
  ...given,
});
const statusOf = (given: Partial<RequestFacts>): number | undefined => refuseRequest(facts(given), 9998)?.status;

describe('refuseRequest', () => {
  it.each(['127.0.0.1:9998', 'localhost:9998', 'LOCALHOST:9998'])('answers as %s', (host) => {
    expect(statusOf({ host })).toBeUndefined();
  });

  it.each([
    null,
    '',
    'evil.example:9998',
    '127.0.0.1',
    '127.0.0.1:80',
    'localhost.evil.example:9998',
    '127.0.0.1:9998.evil.example',
    '[::1]:9998',
  ])('refuses the host %s', (host) => {
    expect(statusOf({ host })).toBe(421);
    expect(statusOf({ host, method: 'POST', origin: `http://${host}` })).toBe(421);
  });

  it('takes changes from its own pages', () => {
    expect(statusOf({ method: 'POST', origin: 'http://127.0.0.1:9998' })).toBeUndefined();
    expect(statusOf({ method: 'POST', fetchSite: 'same-origin' })).toBeUndefined();
  });

  it.each(['http://127.0.0.1:8233', 'http://localhost:9998', 'https://127.0.0.1:9998', 'http://evil.example', 'null'])(
    'refuses changes from pages of %s',
    (origin) => {
      expect(statusOf({ method: 'POST', origin })).toBe(403);
      expect(statusOf({ method: 'DELETE', origin, fetchSite: 'same-origin' })).toBe(403);
    },
  );

  it.each([null, 'none', 'same-site', 'cross-site'])('refuses changes without an origin, fetched %s', (fetchSite) => {
    expect(statusOf({ method: 'POST', fetchSite })).toBe(403);
  });
});
