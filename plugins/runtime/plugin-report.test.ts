import { describe, expect, it } from 'vitest';
import { Value } from 'typebox/value';
import { MergedPluginReport, mergeReports, type PluginReport } from './plugin-report.ts';

const report = (facts: Partial<PluginReport>): PluginReport => ({
  id: 'audit',
  title: 'Audit',
  description: 'Writes down who did what.',
  process: 'api',
  required: false,
  state: 'running',
  detail: '',
  since: '2026-01-01T00:00:00.000Z',
  contributes: [],
  handles: [],
  ...facts,
});

describe('mergeReports', () => {
  it('shows one entry per plugin with the worst state of any process', () => {
    const api = report({ contributes: ['security.decide'], since: '2026-01-01T00:00:01.000Z' });
    const worker = report({ process: 'worker', state: 'degraded', detail: 'Its handler failed.', handles: ['host.up'] });
    const [merged, ...rest] = mergeReports([[api], [worker]]);
    expect(rest).toEqual([]);
    expect(merged).toEqual({
      id: 'audit',
      title: 'Audit',
      description: 'Writes down who did what.',
      required: false,
      state: 'degraded',
      detail: 'Its handler failed.',
      since: worker.since,
      contributes: ['security.decide'],
      handles: ['host.up'],
      processes: [
        { process: 'api', state: 'running', detail: '', since: api.since },
        { process: 'worker', state: 'degraded', detail: 'Its handler failed.', since: worker.since },
      ],
    });
    expect(Value.Check(MergedPluginReport, merged)).toBe(true);
  });

  it('counts idle as better than running: a plugin idle in one process runs all the same', () => {
    expect(mergeReports([[report({ state: 'idle' })], [report({ process: 'worker' })]])[0]?.state).toBe('running');
  });

  it('describes the plugin from the process that could read its manifest', () => {
    const failed = report({ title: 'audit', description: '', state: 'failed', detail: 'It could not be imported.' });
    const merged = mergeReports([[failed], [report({ process: 'worker', version: '1.2.0' })]])[0];
    expect(merged).toMatchObject({ title: 'Audit', version: '1.2.0', state: 'failed' });
  });

  it('keeps the order in which plugins first appear', () => {
    const merged = mergeReports([
      [report({ id: 'b' }), report({ id: 'a' })],
      [report({ id: 'c' }), report({ id: 'a' })],
    ]);
    expect(merged.map(({ id }) => id)).toEqual(['b', 'a', 'c']);
  });

  it('merges nothing into nothing', () => {
    expect(mergeReports([])).toEqual([]);
  });
});
