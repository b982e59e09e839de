import { describe, expect, it } from 'vitest';
import { parseTarget } from './target.ts';

describe('parseTarget', () => {
  it.each([
    ['qemu+unix:///system?socket=/run/a%20b/c+d.sock', { path: '/run/a b/c+d.sock' }, 'qemu:///system'],
    ['qemu:///system?socket=/s', { path: '/s' }, 'qemu:///system'],
    ['qemu:///session?socket=/s', { path: '/s' }, 'qemu:///session'],
    ['qemu+tcp://host/system', { host: 'host', port: 16_509 }, 'qemu:///system'],
    ['qemu+tcp://[::1]:7/system', { host: '::1', port: 7 }, 'qemu:///system'],
    ['qemu+tcp:///system', { host: 'localhost', port: 16_509 }, 'qemu:///system'],
    ['QEMU+TCP://10.0.0.1/system?mode=legacy&x=1%2F2', { host: '10.0.0.1', port: 16_509 }, 'qemu:///system?x=1%2F2'],
    ['test+unix:///default?socket=/s', { path: '/s' }, 'test:///default'],
    ['qemu+unix:///system?socket=/s&name=lxc:///', { path: '/s' }, 'lxc:///'],
  ])('reads %s', (uri, address, driverUri) => {
    expect(parseTarget(uri)).toEqual({ address, driverUri });
  });

  it('looks for the sockets of the system', () => {
    expect(parseTarget('vbox:///system').address).toEqual({ path: '/var/run/libvirt/libvirt-sock' });
  });

  it.each([
    ['qemu+ssh://root@host/system', 'unsupported', /"ssh".*socket=/],
    ['qemu://host/system', 'unsupported', /"tls"/],
    ['qemu+tls://host/system', 'unsupported', /"tls"/],
    ['qemu:///session', 'unsupported', /socket=/],
    ['qemu+unix://host/system', 'invalid-argument', /three slashes/],
    ['/var/run/libvirt', 'invalid-argument', /not a libvirt URI/],
    ['qemu+tcp://host:port/system', 'invalid-argument', /not a libvirt URI/],
    ['', 'invalid-argument', /not a libvirt URI/],
  ])('refuses %s', (uri, kind, message) => {
    expect(() => parseTarget(uri)).toThrow(expect.objectContaining({ kind, message: expect.stringMatching(message) as string }));
  });
});
