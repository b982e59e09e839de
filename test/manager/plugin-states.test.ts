import { expect, it } from 'vitest';
import { pluginLooks } from '../../manager/components/status/state-looks.ts';
import { pluginStates } from '../../plugins/runtime/plugin-report.ts';

it('has a look for every state of a plugin: its types cannot follow those of the runtime', () => {
  expect(Object.keys(pluginLooks).toSorted()).toEqual([...pluginStates].toSorted());
});
