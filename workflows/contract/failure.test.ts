import { ApplicationFailure, ActivityFailure, RetryState } from '@temporalio/common';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CloudletError, errorCatalogue, type ErrorCode } from './errors.ts';
import { describeFailure, toCloudletError } from './failure.ts';

const failure = ApplicationFailure.create({
  type: 'capacity-exhausted',
  message: 'No room.',
  nonRetryable: true,
  details: [{ needed: 512, free: 3 }],
});

describe('describeFailure', () => {
  it('reads one of ours back, whatever it is', () => {
    fc.assert(
      fc.property(fc.constantFrom(...(Object.keys(errorCatalogue) as ErrorCode[])), fc.string(), (code, detail) => {
        const facts = { state: 'x' };
        expect(describeFailure(new CloudletError(code, detail, facts))).toEqual({ code, detail, facts });
        expect(describeFailure(toCloudletError({ code, detail, facts }))).toEqual({ code, detail, facts });
      }),
    );
  });

  it('finds it in what Temporal wrapped around it', () => {
    const wrapped = new ActivityFailure('Activity task failed', 'reserve', '1', RetryState.NON_RETRYABLE_FAILURE, 'worker', failure);
    const update = new Error('Workflow Update failed', { cause: wrapped });
    expect(describeFailure(update)).toEqual({ code: 'capacity-exhausted', detail: 'No room.', facts: { needed: 512, free: 3 } });
  });

  it('takes the outermost of several', () => {
    const inner = new CloudletError('hypervisor-refused', 'libvirt said no');
    const outer = new CloudletError('guest-unresponsive', 'It does not answer', {}, { cause: inner });
    expect(describeFailure(outer).code).toBe('guest-unresponsive');
  });

  it.each([
    ['a mistake of ours', new TypeError("Cannot read properties of undefined (reading 'secretPath')")],
    ['a failure of a type that is not ours', ApplicationFailure.create({ type: 'TypeError', message: '/etc/shadow' })],
    ['a type that every object has', ApplicationFailure.create({ type: 'constructor', message: '/etc/shadow' })],
    ['a text', '/etc/shadow'],
    ['nothing', undefined],
  ])('keeps what %s says to itself', (_, error) => {
    const described = describeFailure(error);
    expect(described.code).toBe('internal');
    expect(described.detail).not.toMatch(/secretPath|shadow/);
  });

  it('does without facts where there are none', () => {
    expect(describeFailure(ApplicationFailure.create({ type: 'not-found', message: 'Gone.' }))).toEqual({
      code: 'not-found',
      detail: 'Gone.',
      facts: {},
    });
  });
});
