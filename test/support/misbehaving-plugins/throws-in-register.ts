import { Type } from 'typebox';
import { definePlugin, pluginApiVersion } from '../../../plugins/runtime/plugin.ts';

export const plugin = definePlugin({
  manifest: {
    id: 'throws-in-register',
    apiVersion: pluginApiVersion,
    title: 'Throws in register',
    description: 'Fails as soon as it is asked what it contributes.',
    options: Type.Object({}),
  },
  register() {
    throw new Error('nothing to register');
  },
});
