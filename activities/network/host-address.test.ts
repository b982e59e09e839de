import { expect, it } from 'vitest';
import { defaultRouteInterfaces } from './host-address.ts';

it('prefers the default route with the lowest metric, and takes none that is down', () => {
  const routes = [
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
    'docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0',
    'wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0',
    'eth1\t00000000\t0102A8C0\t0002\t0\t0\t10\t00000000\t0\t0\t0',
    'eth0\t00000000\t0100A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0',
    'tun0\t00000000\t00000000\t0001\t0\t0\t50\t00000080\t0\t0\t0',
  ].join('\n');
  expect(defaultRouteInterfaces(routes)).toEqual(['eth0', 'wlan0']);
  expect(defaultRouteInterfaces('Iface\tDestination\n')).toEqual([]);
});
