/** Makes the cloudlet known by DNS-SD, and knows the others, through the host's Avahi daemon. */
import { Type } from 'typebox';
import { discoveryAdvertise, discoveryBrowse } from '../runtime/extension-points.ts';
import { definePlugin, pluginApiVersion } from '../runtime/plugin.ts';
import { AvahiDiscovery } from './avahi-discovery.ts';

export const plugin = definePlugin({
  manifest: {
    id: 'discovery-avahi',
    apiVersion: pluginApiVersion,
    title: 'Discovery by DNS-SD',
    description: 'Announces the cloudlet on the local network and finds others there, through Avahi.',
    options: Type.Object(
      {
        dbusAddress: Type.String({
          pattern: '^unix:(path|socket)=/[^,;]+$',
          default: 'unix:socket=/run/dbus/system_bus_socket',
          description: 'D-Bus daemon that Avahi is on',
        }),
        serviceType: Type.String({
          pattern: '^_[A-Za-z0-9-]{1,15}\\._(tcp|udp)$',
          default: '_cloudlet._tcp',
          description: 'DNS-SD type under which other cloudlets are looked for',
        }),
        refreshSeconds: Type.Integer({ minimum: 1, maximum: 3600, default: 30, description: 'How often each peer is looked up again' }),
      },
      { additionalProperties: false },
    ),
  },
  register(registry, options) {
    const discovery = new AvahiDiscovery(options);
    registry.contribute(discoveryAdvertise, discovery);
    registry.contribute(discoveryBrowse, discovery);
    registry.lifecycle(discovery);
  },
});
