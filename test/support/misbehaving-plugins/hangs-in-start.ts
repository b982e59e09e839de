import { Type } from 'typebox';
import { definePlugin, pluginApiVersion } from '../../../plugins/runtime/plugin.ts';

export const plugin = definePlugin({
  manifest: {
    id: 'hangs-in-start',
    apiVersion: pluginApiVersion,
    title: 'Hangs in start',
    description: 'Never gets ready.',
    options: Type.Object({}),
  },
  register(registry) {
    registry.on('serviceVm.ready', async () => undefined);
    registry.lifecycle({ start: () => new Promise(() => undefined) });
  },
});
