import type { Plugin } from '../../lib/api/bodies.ts';
import { pluginLooks } from '../status/state-looks.ts';
import { Badge } from '../ui/badge.tsx';
import type { Column } from '../ui/data-table.tsx';
import { TimeAgo } from '../ui/time-ago.tsx';

export const pluginColumns: readonly Column<Plugin>[] = [
  {
    header: 'Plugin',
    place: 'title',
    cell: ({ id, title, description, version, required }) => (
      <div className="max-w-sm min-w-0">
        <p className="font-medium">{title}</p>
        <p className="mt-0.5 text-[0.8125rem] text-muted">{description}</p>
        <p className="mt-1 font-mono text-xs text-muted">
          {id}
          {version !== undefined && ` ${version}`}
          {required && ' · required'}
        </p>
      </div>
    ),
  },
  { header: 'State', place: 'state', cell: ({ state }) => <Badge look={pluginLooks[state]} /> },
  { header: 'Since', cell: ({ since }) => <TimeAgo time={since} /> },
  { header: 'Does', cell: ({ contributes, handles }) => <Names names={[...contributes, ...handles]} /> },
  { header: 'In processes', cell: ({ processes }) => <Processes processes={processes} /> },
];

function Names({ names }: { readonly names: readonly string[] }) {
  if (names.length === 0) return <span className="text-muted">nothing</span>;
  return (
    <ul className="font-mono text-[0.8125rem]">
      {names.map((name) => (
        <li key={name} className="break-all">
          {name}
        </li>
      ))}
    </ul>
  );
}

function Processes({ processes }: { readonly processes: Plugin['processes'] }) {
  return (
    <ul className="flex max-w-xs flex-col gap-1 text-[0.8125rem]">
      {processes.map(({ process, state, detail }) => (
        <li key={process} className="break-words">
          <span className="font-mono">{process}</span> <span className="text-muted">{pluginLooks[state].label.toLowerCase()}</span>
          {detail !== '' && <span className="block text-muted">{detail}</span>}
        </li>
      ))}
    </ul>
  );
}
