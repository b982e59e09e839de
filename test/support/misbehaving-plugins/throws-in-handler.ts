import { Type } from 'typebox';
import { definePlugin, pluginApiVersion } from '../../../plugins/runtime/plugin.ts';

export const plugin = definePlugin({
  manifest: {
    id: 'throws-in-handler',
    apiVersion: pluginApiVersion,
    title: 'Throws in an event handler',
    description: 'Fails whenever a Service VM is ready.',
    options: Type.Object({}),
  },
  register(registry) {
    registry.on(
      'serviceVm.ready',
      async () => {
        throw new Error('the lamp did not light');
      },
      { attempts: 1 },
    );
  },
});
