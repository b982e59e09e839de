/** What QEMU's monitor says of a user-mode network (`info usernet`), one entry a flow. */
export interface UsernetFlow {
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  /** TCP state as QEMU names it, e.g. ESTABLISHED, SYN_SENT; HOST_FORWARD for a listening forward; `236 sec` left for UDP. */
  readonly state: string;
  readonly sourceAddress: string;
  readonly sourcePort: number;
  readonly destinationAddress: string;
  readonly destinationPort: number;
}

const line = /^\s*(TCP|UDP|ICMP)(?:\[([^\]]*)\])?\s+-?\d+\s+(\S+)\s+(\d+|-)\s+(\S+)\s+(\d+|-)/;

/** Reads the table; lines of another form are headings. */
export function parseUsernet(text: string): UsernetFlow[] {
  return text.split('\n').flatMap((row) => {
    const match = line.exec(row);
    if (!match) return [];
    const [, protocol, state, sourceAddress, sourcePort, destinationAddress, destinationPort] = match;
    return [
      {
        protocol: protocol!.toLowerCase() as UsernetFlow['protocol'],
        state: state ?? '',
        sourceAddress: sourceAddress!,
        sourcePort: Number(sourcePort === '-' ? 0 : sourcePort),
        destinationAddress: destinationAddress!,
        destinationPort: Number(destinationPort === '-' ? 0 : destinationPort),
      },
    ];
  });
}

/** Flows that somebody uses: connections that stand, and datagrams that passed within QEMU's own timeout. */
export const activeFlows = (flows: readonly UsernetFlow[]): UsernetFlow[] =>
  flows.filter(({ state }) => state === 'ESTABLISHED' || state.endsWith(' sec'));
