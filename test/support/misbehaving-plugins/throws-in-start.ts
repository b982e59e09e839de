import { Type } from 'typebox';
import { definePlugin, pluginApiVersion } from '../../../plugins/runtime/plugin.ts';

export const plugin = definePlugin({
  manifest: {
    id: 'throws-in-start',
    apiVersion: pluginApiVersion,
    title: 'Throws in start',
    description: 'Fails when the worker starts.',
    options: Type.Object({}),
  },
  register(registry) {
    registry.on('serviceVm.ready', async () => undefined);
    registry.lifecycle({
      start: async () => {
        throw new Error('no such device');
      },
    });
  },
});
