import { describe, expect, it } from 'vitest';
import { activeFlows, parseUsernet } from './usernet.ts';

/** As QEMU 7.2 writes it, line ends included. */
const table = [
  'Hub -1 (guest0):',
  '  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ',
  '  TCP[ESTABLISHED]   12      192.0.2.77 50412       10.0.2.15  8080     0     0',
  '  TCP[SYN_SENT]       9       127.0.0.1 45991       10.0.2.15  8080     0     0',
  '  TCP[FIN_WAIT_2]    10       127.0.0.1 45993       10.0.2.15  8080     0     0',
  '  TCP[HOST_FORWARD]   8       127.0.0.1 45991       10.0.2.15  8080     0     0',
  '  UDP[236 sec]       14       10.0.2.15 33333         8.8.8.8    53     0     0',
  '  UDP[HOST_FORWARD]   3       127.0.0.1 45991       10.0.2.15     7     0     0',
  '  ICMP[10 sec]       15       10.0.2.15     -         1.1.1.1     -     0     0',
  '',
].join('\r\n');

describe('parseUsernet', () => {
  it('reads every flow and nothing else', () => {
    const flows = parseUsernet(table);
    expect(flows).toHaveLength(7);
    expect(flows[0]).toEqual({
      protocol: 'tcp',
      state: 'ESTABLISHED',
      sourceAddress: '192.0.2.77',
      sourcePort: 50_412,
      destinationAddress: '10.0.2.15',
      destinationPort: 8080,
    });
    expect(flows[4]).toMatchObject({ protocol: 'udp', state: '236 sec', destinationAddress: '8.8.8.8', destinationPort: 53 });
    expect(flows[6]).toMatchObject({ protocol: 'icmp', sourcePort: 0, destinationPort: 0 });
  });

  it.each(['', 'Hub -1 (guest0):', "unknown command: 'info usernet'", 'TCP[', 'TCP[ESTABLISHED] x y z'])('finds nothing in %j', (text) => {
    expect(parseUsernet(text)).toEqual([]);
  });
});

describe('activeFlows', () => {
  it('are connections that stand and datagrams of late, not what merely listens or knocks', () => {
    expect(activeFlows(parseUsernet(table)).map(({ protocol, state }) => `${protocol} ${state}`)).toEqual([
      'tcp ESTABLISHED',
      'udp 236 sec',
      'icmp 10 sec',
    ]);
  });
});
