import type { Cloudlet } from '../../lib/api/bodies.ts';
import { acceleratorNames } from '../status/state-looks.ts';
import { Card } from '../ui/card.tsx';
import { Copyable } from '../ui/copyable.tsx';
import { Facts } from '../ui/facts.tsx';

/** What phones are told of this cloudlet, and the machines behind it. */
export function CloudletCard({ cloudlet }: { readonly cloudlet: Cloudlet }) {
  const { id, version, hosts, accelerators } = cloudlet;
  const addresses = [...new Set(hosts.filter(({ up }) => up).map(({ address }) => address))];
  return (
    <Card title="This cloudlet">
      <Facts
        facts={[
          [
            'Address',
            addresses.length === 0 ? (
              <span className="text-muted">no host is up</span>
            ) : (
              addresses.map((address) => <Copyable key={address} text={address} label={`Copy the address ${address}`} />)
            ),
          ],
          ['Guests run by', accelerators.map((accelerator) => acceleratorNames[accelerator]).join(', ') || '–'],
          ['Version', version],
          ['Id', <Copyable key="id" text={id} label="Copy the id of the cloudlet" />],
        ]}
      />
      {accelerators.includes('tcg') && (
        <p className="mt-4 border-t border-line pt-4 text-[0.8125rem] text-muted">
          Without KVM guests are slow. <code className="font-mono">npx cloudlet doctor</code> says why there is none.
        </p>
      )}
    </Card>
  );
}
