import { describe, expect, it } from 'vitest';
import { changeOf } from './service-edit-command.ts';

const present = { memory: { minimumMib: 128, idealMib: 256 } };

describe('what service edit asks for', () => {
  it('is what was said, in the API’s names', () => {
    expect(changeOf({ json: false, users: 5, pool: 0, tag: ['a'], restart: 'never', os: 'other', whenFull: 'refuse' }, present)).toEqual({
      maximumUsers: 5,
      poolSize: 0,
      tags: ['a'],
      restartPolicy: 'never',
      osType: 'other',
      whenFull: 'refuse',
    });
  });

  it.each([
    [{ memory: 512 }, { idealMib: 512, minimumMib: 128 }],
    [{ memory: 64 }, { idealMib: 64, minimumMib: 64 }],
    [{ minimumMemory: 64 }, { idealMib: 256, minimumMib: 64 }],
    [
      { memory: 512, minimumMemory: 256 },
      { idealMib: 512, minimumMib: 256 },
    ],
  ])('keeps the other figure of memory where one is said: %j', (said, memory) => {
    expect(changeOf({ json: false, ...said }, present)).toEqual({ memory });
  });
});
