import { Radio } from 'lucide-react';
import type { Cloudlet } from '../../lib/api/bodies.ts';
import { Card } from '../ui/card.tsx';

/** Other cloudlets that answer on this network. */
export function PeersCard({ peers }: { readonly peers: Cloudlet['peers'] }) {
  return (
    <Card title="Peers" flush>
      {peers.length === 0 ? (
        <p className="flex items-center gap-3 p-5 text-sm text-muted">
          <Radio aria-hidden className="size-4 shrink-0" />
          No other cloudlet answers on this network.
        </p>
      ) : (
        <ul className="divide-y divide-line">
          {peers.map(({ name, address, port }) => (
            <li key={`${name} ${address} ${port}`} className="flex flex-wrap items-baseline justify-between gap-x-4 px-5 py-3 text-sm">
              <span className="font-medium break-words">{name}</span>
              <span className="font-mono text-[0.8125rem] text-muted">{`${address}:${port}`}</span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
