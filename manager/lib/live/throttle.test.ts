import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { throttle } from './throttle.ts';

describe('throttle', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('runs a burst twice: at its beginning and after it', () => {
    const run = vi.fn<() => void>();
    const call = throttle(run, 500);
    call();
    expect(run).toHaveBeenCalledTimes(1);
    call();
    call();
    vi.advanceTimersByTime(499);
    expect(run).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1);
    expect(run).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(5_000);
    expect(run).toHaveBeenCalledTimes(2);
  });

  it('runs at once again after a rest', () => {
    const run = vi.fn<() => void>();
    const call = throttle(run, 500);
    call();
    vi.advanceTimersByTime(500);
    call();
    expect(run).toHaveBeenCalledTimes(2);
  });

  it('forgets what is to come when it is cancelled', () => {
    const run = vi.fn<() => void>();
    const call = throttle(run, 500);
    call();
    call();
    call.cancel();
    vi.advanceTimersByTime(5_000);
    expect(run).toHaveBeenCalledTimes(1);
  });
});
