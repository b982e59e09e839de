/** What plugins look like from outside: `GET /v1/plugins`. Pure. */
import { Type, type Static } from 'typebox';

/** From worst to best; a merged report takes the first one that any process has. */
export const pluginStates = ['failed', 'blocked', 'degraded', 'running', 'idle'] as const;
export type PluginState = (typeof pluginStates)[number];

const State = Type.Enum([...pluginStates], {
  description:
    'failed: it could not start, nothing of it is used · blocked: what it depends on failed · degraded: works with a fault · idle: nothing in this process uses it',
});
const Process = Type.Enum(['api', 'worker']);
const Detail = Type.String({ description: 'What is wrong and what to do; empty when there is nothing to say' });
const Since = Type.String({ format: 'date-time', description: 'When it came into this state' });

const described = {
  id: Type.String(),
  title: Type.String(),
  description: Type.String(),
  version: Type.Optional(Type.String()),
  required: Type.Boolean({ description: 'Whether the cloudlet refuses to start without it' }),
  state: State,
  detail: Detail,
  since: Since,
  contributes: Type.Array(Type.String(), { description: 'Extension points in use' }),
  handles: Type.Array(Type.String(), { description: 'Events it handles' }),
};

/** One plugin as one process has it. */
export const PluginReport = Type.Object({ ...described, process: Process });
export type PluginReport = Static<typeof PluginReport>;

/** One plugin over all processes: the worst state with its detail, and each process's own. */
export const MergedPluginReport = Type.Object({
  ...described,
  processes: Type.Array(Type.Object({ process: Process, state: State, detail: Detail, since: Since })),
});
export type MergedPluginReport = Static<typeof MergedPluginReport>;

const badness = (state: PluginState): number => -pluginStates.indexOf(state);

/** What a process says of a plugin wins by how bad it is; of two equal ones the first. */
const worst = (reports: readonly PluginReport[]): PluginReport =>
  reports.reduce((worstSoFar, report) => (badness(report.state) > badness(worstSoFar.state) ? report : worstSoFar));

/** The plugin as it describes itself, where a process could read its manifest. */
const describedBy = (reports: readonly PluginReport[]): PluginReport => reports.find((report) => report.description !== '') ?? reports[0]!;

function mergeOne(reports: readonly PluginReport[]): MergedPluginReport {
  const { id, title, description, version } = describedBy(reports);
  const { state, detail, since } = worst(reports);
  return {
    id,
    title,
    description,
    ...(version === undefined ? {} : { version }),
    required: reports.some((report) => report.required),
    state,
    detail,
    since,
    contributes: [...new Set(reports.flatMap((report) => report.contributes))],
    handles: [...new Set(reports.flatMap((report) => report.handles))],
    processes: reports.map(({ process, state, detail, since }) => ({ process, state, detail, since })),
  };
}

/**
 * @param reports one list per process
 * @returns one entry per plugin, in the order in which they first appear
 */
export function mergeReports(reports: readonly (readonly PluginReport[])[]): MergedPluginReport[] {
  const byId = Map.groupBy(reports.flat(), (report) => report.id);
  return [...byId.values()].map(mergeOne);
}
