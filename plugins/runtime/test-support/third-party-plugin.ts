/** A plugin from outside `plugins/`, loaded by the path of its module. */
import { Type } from 'typebox';
import { securityDecide } from '../extension-points.ts';
import { definePlugin, pluginApiVersion } from '../plugin.ts';

export const plugin = definePlugin({
  manifest: {
    id: 'third-party',
    apiVersion: pluginApiVersion,
    title: 'Third party',
    description: 'Allows everything when told to.',
    version: '2.1.0',
    options: Type.Object({ allow: Type.Boolean({ default: false }) }, { additionalProperties: false }),
  },
  register(registry, { allow }) {
    registry.contribute(securityDecide, { decide: () => (allow ? { allow: true } : { allow: false, reason: 'Closed.' }) });
  },
});
