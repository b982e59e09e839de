import { describe, expect, it, vi } from 'vitest';
import { LiveStore } from './live-store.ts';

const progress = { phase: 'clone', step: 2, steps: 5, message: 'Cloning the disk' };

describe('LiveStore', () => {
  it('tells who listens of every change, and nobody of none', () => {
    const store = new LiveStore();
    const listener = vi.fn<() => void>();
    const forget = store.subscribe(listener);
    store.setConnection('live');
    store.setConnection('live');
    store.setProgress('a', progress);
    store.dropProgress('never-there');
    expect(listener).toHaveBeenCalledTimes(2);
    forget();
    store.dropProgress('a');
    expect(listener).toHaveBeenCalledTimes(2);
  });

  it('makes a new snapshot for a change, so that React sees it', () => {
    const store = new LiveStore();
    store.setProgress('a', progress);
    const before = store.snapshot();
    store.setProgress('b', progress);
    expect(before.progress.has('b')).toBe(false);
    expect([...store.snapshot().progress.keys()]).toEqual(['a', 'b']);
  });

  it('forgets what it was told before the connection was lost', () => {
    const store = new LiveStore();
    store.setConnection('live');
    store.setProgress('a', progress);
    store.setConnection('lost');
    expect(store.snapshot().progress.size).toBe(1);
    store.setConnection('live');
    expect(store.snapshot().progress.size).toBe(0);
  });
});
