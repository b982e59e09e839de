import { CircleCheck, CircleX } from 'lucide-react';
import type { Health } from '../../lib/api/bodies.ts';
import { capitalised } from '../../lib/text/format-quantity.ts';
import { healthLooks, type CloudletHealth } from '../status/state-looks.ts';
import { classes } from '../ui/classes.ts';
import { Sentence } from '../ui/sentence.tsx';
import { textTone } from '../ui/tone.ts';
import { Beacon } from './beacon.tsx';

const sentences: Readonly<Record<CloudletHealth, string>> = {
  ready: 'Phones that ask for a service get one.',
  degraded: 'Phones that ask for a service get one, but not everything works.',
  unready: 'Starts are refused until this is mended.',
};

const healthOf = ({ status, degraded }: Health): CloudletHealth =>
  status === 'unready' ? 'unready' : degraded.length > 0 ? 'degraded' : 'ready';

/** Whether the cloudlet serves, and what stands in the way. */
export function HealthCard({ health }: { readonly health: Health }) {
  const state = healthOf(health);
  const { label, tone, icon: Icon } = healthLooks[state];
  return (
    <section aria-labelledby="health" className="relative overflow-hidden rounded-xl border border-line bg-surface shadow-raised">
      <Beacon tone={tone} />
      <div className="relative flex items-start gap-4 p-6 sm:pr-56">
        <Icon aria-hidden className={classes('mt-0.5 size-7 shrink-0', textTone[tone])} />
        <div className="min-w-0 flex-1">
          <h2 id="health" className="text-lg leading-snug font-semibold">
            {label}
          </h2>
          <p className="text-muted">{sentences[state]}</p>
          {health.degraded.length > 0 && (
            <ul className="mt-3 flex flex-col gap-1.5 text-sm">
              {health.degraded.map((sentence) => (
                <li key={sentence} className="border-l-2 border-warn-solid pl-3 break-words">
                  <Sentence text={capitalised(sentence)} />
                </li>
              ))}
            </ul>
          )}
          <ul className="mt-4 flex flex-wrap gap-x-6 gap-y-1.5 text-sm">
            {health.checks.map((check) => (
              <Check key={check.name} {...check} />
            ))}
          </ul>
        </div>
      </div>
    </section>
  );
}

function Check({ name, ok, detail }: Health['checks'][number]) {
  const Icon = ok ? CircleCheck : CircleX;
  return (
    <li className="flex items-baseline gap-1.5">
      <Icon
        aria-label={ok ? 'works:' : 'fails:'}
        role="img"
        className={classes('size-4 shrink-0 translate-y-0.5', textTone[ok ? 'ok' : 'bad'])}
      />
      <span>
        {capitalised(name)}{' '}
        <span className="text-muted">
          <Sentence text={detail} />
        </span>
      </span>
    </li>
  );
}
