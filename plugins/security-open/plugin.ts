/** Security of a cloudlet that everybody in reach may use; administration needs the admin's token. */
import { Type } from 'typebox';
import { securityDecide } from '../runtime/extension-points.ts';
import { definePlugin, pluginApiVersion } from '../runtime/plugin.ts';
import { decide } from './decide.ts';

export const plugin = definePlugin({
  manifest: {
    id: 'security-open',
    apiVersion: pluginApiVersion,
    title: 'Open access',
    description: 'Anyone in reach may list, start and join services and end their own; the rest needs the admin token.',
    options: Type.Object({}, { additionalProperties: false }),
  },
  register(registry) {
    registry.contribute(securityDecide, { decide });
  },
});
