import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalizeUrl } from './normalize-url.ts';

describe('normalizeUrl', () => {
  it.each([
    ['/', '/'],
    ['/api/services', '/api/services'],
    ['/api//services', '/api/services'],
    ['//api///services//', '/api/services/'],
    ['/api//services?next=//x//y', '/api/services?next=//x//y'],
    ['/api/services?a=http://b//c', '/api/services?a=http://b//c'],
    ['http://cloudlet:9999/api/services', '/api/services'],
    ['HTTP://cloudlet//api//services?a=b', '/api/services?a=b'],
    ['http://cloudlet', '/'],
    ['http://cloudlet?a=b', '/?a=b'],
    ['*', '*'],
    ['', ''],
  ])('of %j is %j', (url, normal) => {
    expect(normalizeUrl(url)).toBe(normal);
  });

  it('never leaves two slashes in a row in the path, and changes nothing the second time', () => {
    const url = fc
      .array(fc.constantFrom('/', '//', 'a', '?', '%2f', '.', '..', '#'), { maxLength: 20 })
      .map((parts) => `/${parts.join('')}`);
    fc.assert(
      fc.property(url, (text) => {
        const normal = normalizeUrl(text);
        expect(normal.split('?', 1)[0]).not.toContain('//');
        expect(normalizeUrl(normal)).toBe(normal);
      }),
    );
  });
});
