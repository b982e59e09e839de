import { describe, expect, it } from 'vitest';
import { CloudletError, errorCatalogue, isErrorCode, problemTypePrefix, toProblem, type ErrorCode } from './errors.ts';

const codes = Object.keys(errorCatalogue) as ErrorCode[];

describe('the error catalogue', () => {
  it.each(codes)('%s is kebab-case, has a title that is a short sentence, and a status of an error', (code) => {
    const { title, httpStatus } = errorCatalogue[code];
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(title).toMatch(/^[A-Z].{4,60}[^.]$/);
    expect(httpStatus).toBeGreaterThanOrEqual(400);
    expect(httpStatus).toBeLessThan(600);
  });

  it('says of nothing that the client did wrong that it mends itself, but for time and number', () => {
    const mending = codes.filter((code) => errorCatalogue[code].retryable && errorCatalogue[code].httpStatus < 500);
    expect(mending.toSorted()).toEqual(['rate-limited', 'request-timeout']);
  });

  it('titles each one differently', () => {
    expect(new Set(codes.map((code) => errorCatalogue[code].title)).size).toBe(codes.length);
  });
});

describe('isErrorCode', () => {
  it('knows the codes, and no names that every object has', () => {
    expect(codes.every(isErrorCode)).toBe(true);
    for (const other of ['', 'nope', 'constructor', '__proto__', 'toString', 1, null, undefined, {}])
      expect(isErrorCode(other)).toBe(false);
  });
});

describe('toProblem', () => {
  it('is RFC 9457 with our facts beside it', () => {
    const error = new CloudletError('capacity-exhausted', 'No room.', { resource: 'memory', needed: 512, free: 3, retryAfterSeconds: 30 });
    expect(toProblem(error, 'trace-1')).toEqual({
      type: `${problemTypePrefix}capacity-exhausted`,
      title: 'No room on this cloudlet',
      status: 503,
      detail: 'No room.',
      code: 'capacity-exhausted',
      resource: 'memory',
      needed: 512,
      free: 3,
      retryAfterSeconds: 30,
      traceId: 'trace-1',
    });
    expect(toProblem(new CloudletError('not-found', 'Gone.'))).not.toHaveProperty('traceId');
  });
});
