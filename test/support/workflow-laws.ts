/**
 * Three laws that hold for every call of every operation: it fails cleanly there, repeating the call changes nothing,
 * and undoing works twice, at the second attempt, and where the step never was. omicron tests its sagas by these.
 */
import type {
  AppActivities,
  AppRecordActivities,
  BuildRecordActivities,
  CloudletActivities,
  HostActivities,
  RecordActivities,
  ServiceRecordActivities,
  PoolRecordActivities,
  RefreshRecordActivities,
  VerificationRecordActivities,
} from '../../workflows/contract/activities.ts';
import type { BundleRecordActivities } from '../../workflows/contract/bundle.ts';
import { CloudletError, type ErrorCode } from '../../workflows/contract/errors.ts';
import { withDeadline } from '../../plugins/runtime/deadline.ts';
import { eventually } from './eventually.ts';
import { activityOf, failsForGood, failsThenLosesItsResult, type CallKey, type Fault } from './workflow-faults.ts';
import { endStateOf, heldBy } from './workflow-invariants.ts';
import type { WorkflowLab } from './workflow-lab.ts';
import { reconcile, type Prepare } from './workflow-operations.ts';

export interface Operation {
  readonly name: string;
  readonly prepare: Prepare;
  /** Faults that make it what its name says. */
  readonly planted?: Planted;
  /** The first call to try: those before it are tried under another name. */
  readonly triedFrom?: CallKey;
  /** Steps that the operation does without: it has another way. */
  readonly survives?: readonly CallKey[];
  /** It sets right what others left, so one at a time; what a failed one leaves is for the next. */
  readonly reconciles?: boolean;
}

type Activity = keyof (AppRecordActivities &
  AppActivities &
  RecordActivities &
  BuildRecordActivities &
  BundleRecordActivities &
  ServiceRecordActivities &
  PoolRecordActivities &
  VerificationRecordActivities &
  RefreshRecordActivities &
  HostActivities &
  CloudletActivities);

/**
 * The steps: one that fails for good ends its operation with that code, and is undone though it never did anything.
 * Any other call that fails for good must not keep an operation from its end.
 */
const steps: Readonly<Partial<Record<Activity, { readonly failsWith: ErrorCode; readonly undo?: Activity }>>> = {
  reserve: { failsWith: 'capacity-exhausted', undo: 'release' },
  cloneDisk: { failsWith: 'image-unavailable', undo: 'removeDisk' },
  bootGuest: { failsWith: 'hypervisor-refused', undo: 'destroyGuest' },
  restoreGuest: { failsWith: 'hypervisor-refused', undo: 'destroyGuest' },
  awaitGuest: { failsWith: 'guest-unresponsive' },
  claimGuest: { failsWith: 'guest-unresponsive' },
  pauseGuest: { failsWith: 'hypervisor-refused' },
  publishWarm: { failsWith: 'state-conflict' },
  planPool: { failsWith: 'state-conflict' },
  retireWarm: { failsWith: 'hypervisor-refused' },
  publishReady: { failsWith: 'state-conflict' },
  retireIfUnused: { failsWith: 'state-conflict' },
  publishRestarting: { failsWith: 'state-conflict' },
  chooseHost: { failsWith: 'capacity-exhausted' },
  prepareDisk: { failsWith: 'unsafe-image', undo: 'discardPreparation' },
  registerBuild: { failsWith: 'name-taken', undo: 'unregisterBuild' },
  warmUpGuest: { failsWith: 'guest-unresponsive' },
  saveGuest: { failsWith: 'capacity-exhausted' },
  saveDisk: { failsWith: 'capacity-exhausted' },
  runRecipe: { failsWith: 'recipe-failed' },
  replaceBuildDisk: { failsWith: 'state-conflict' },
  findScreen: { failsWith: 'hypervisor-refused' },
  publishServiceImage: { failsWith: 'state-conflict' },
  trashService: { failsWith: 'state-conflict', undo: 'untrashService' },
  liveInstancesOf: { failsWith: 'state-conflict', undo: 'untrashService' },
  recordRemoval: { failsWith: 'state-conflict', undo: 'untrashService' },
  registerRefresh: { failsWith: 'state-conflict', undo: 'unregisterRefresh' },
  publishRefresh: { failsWith: 'state-conflict', undo: 'unregisterRefresh' },
  copiesToVerify: { failsWith: 'state-conflict' },
  verifyImage: { failsWith: 'internal' },
  recordVerification: { failsWith: 'state-conflict' },
  unpackBundle: { failsWith: 'unprocessable-bundle', undo: 'discardPreparation' },
  publishImport: { failsWith: 'name-taken', undo: 'discardPreparation' },
  hostOfService: { failsWith: 'not-found' },
  writeBundle: { failsWith: 'image-unavailable', undo: 'removeBundle' },
  publishBundle: { failsWith: 'state-conflict', undo: 'removeBundle' },
  prepareApp: { failsWith: 'unprocessable-app', undo: 'discardApp' },
  publishApp: { failsWith: 'name-taken', undo: 'discardApp' },
  surveyHost: { failsWith: 'hypervisor-refused' },
};

const stepOf = (key: CallKey) => steps[activityOf(key) as Activity];

interface Trial {
  readonly workflowIds: readonly string[];
  readonly calls: readonly CallKey[];
  /** What the client is told: the code of a refusal, or that it went well. */
  readonly told: ErrorCode | 'well';
  readonly endState: readonly string[];
}

type Planted = Readonly<Record<CallKey, Fault>>;

const trialTimeoutMs = 30_000;
/** Operations under way at the same time: they meet each other's locks and rows. */
const trialsAtOnce = 6;

/** Runs the operation once, from beginning to end. */
async function tryOut(lab: WorkflowLab, operation: Operation, planted: Planted): Promise<Trial> {
  const { workflowId, run } = await operation.prepare(lab);
  const plan = lab.faults.of(workflowId);
  for (const [key, fault] of Object.entries({ ...planted, ...operation.planted })) plan.inject(key as CallKey, fault);
  const told = await withDeadline(run, { timeoutMs: trialTimeoutMs, message: 'Nobody was told anything' }).then(
    () => 'well' as const,
    (error: unknown) => {
      if (error instanceof CloudletError) return error.code;
      throw error;
    },
  );
  const workflowIds = lab.faults.coveredBy(plan);
  await eventually(async () => {
    if ((await heldBy(lab, workflowIds)).includes('an open workflow')) throw new Error('The workflow does not end');
  });
  return { workflowIds, calls: plan.calls, told, endState: await endStateOf(lab, workflowIds) };
}

const baselines = new WeakMap<Operation, Promise<Trial>>();

/** What the operation comes to when nothing is in its way. */
function baselineOf(lab: WorkflowLab, operation: Operation): Promise<Trial> {
  const known = baselines.get(operation) ?? tryOut(lab, operation, {});
  baselines.set(operation, known);
  return known;
}

const callsToTry = ({ triedFrom }: Operation, { calls }: Trial): readonly CallKey[] =>
  calls.slice(triedFrom ? calls.indexOf(triedFrom) : 0);

type Judge = (trial: Trial, key: CallKey) => Promise<string[]>;

/**
 * Runs the operation once for each call, with that call's fault planted.
 * @param judge what is wrong with a trial; empty when nothing is
 * @returns the trials, and what is wrong, by call
 */
async function forEachCall(
  lab: WorkflowLab,
  operation: Operation,
  calls: readonly CallKey[],
  planted: (key: CallKey) => Planted,
  judge: Judge,
): Promise<{ readonly trials: ReadonlyMap<CallKey, Trial>; readonly complaints: string[] }> {
  const complaints: string[] = [];
  const trials = new Map<CallKey, Trial>();
  const queue = calls.values();
  const work = async () => {
    for (const key of queue) {
      try {
        const trial = await tryOut(lab, operation, planted(key));
        trials.set(key, trial);
        complaints.push(...(await judge(trial, key)).map((text) => `${key}: ${text}`));
      } catch (error) {
        complaints.push(`${key}: ${(error as Error).message}`);
      }
    }
  };
  await Promise.all(Array.from({ length: operation.reconciles ? 1 : trialsAtOnce }, work));
  return { trials, complaints };
}

const left = async (lab: WorkflowLab, { workflowIds }: Trial): Promise<string[]> =>
  (await heldBy(lab, workflowIds)).map((what) => `it left ${what}`);

/** Everything is as it would be without the fault. */
const asWithout =
  (lab: WorkflowLab, baseline: Trial): Judge =>
  async (trial) => [
    ...(trial.told === baseline.told ? [] : [`the client was told ${trial.told} instead of ${baseline.told}`]),
    ...(trial.endState.join() === baseline.endState.join()
      ? []
      : [`it came to ${trial.endState.join()} instead of ${baseline.endState.join()}`]),
    ...(await left(lab, trial)),
  ];

/** Each call fails before it does anything, then does its work in vain, then works: it comes to the same. */
export async function repeatsEachCall(lab: WorkflowLab, operation: Operation): Promise<string[]> {
  const baseline = await baselineOf(lab, operation);
  const planted = (key: CallKey) => ({ [key]: failsThenLosesItsResult });
  return (await forEachCall(lab, operation, callsToTry(operation, baseline), planted, asWithout(lab, baseline))).complaints;
}

/** Each call fails for good: the client is told of what, and everything is undone, at the latest by a reconciliation. */
export async function failsCleanlyAtEachCall(lab: WorkflowLab, operation: Operation): Promise<string[]> {
  const baseline = await baselineOf(lab, operation);
  const codeOf = (key: CallKey): ErrorCode => stepOf(key)?.failsWith ?? 'state-conflict';
  const isSurvived = (key: CallKey): boolean => !stepOf(key) || (operation.survives ?? []).includes(key);

  const judge: Judge = async (trial, key) => {
    const step = stepOf(key);
    // How often a call comes can be a matter of time, e.g. of one that waits for something to end.
    const expected = isSurvived(key) || !trial.calls.includes(key) ? 'well' : codeOf(key);
    const later = trial.calls.slice(trial.calls.indexOf(key) + 1).map(activityOf);
    return [
      ...(trial.told === expected ? [] : [`the client was told ${trial.told} instead of ${expected}`]),
      ...(step?.undo && !later.includes(step.undo) ? [`${step.undo} was not called`] : []),
      ...(step && !operation.reconciles ? await left(lab, trial) : []),
    ];
  };
  const planted = (key: CallKey) => ({ [key]: failsForGood(codeOf(key)) });
  const { trials, complaints } = await forEachCall(lab, operation, callsToTry(operation, baseline), planted, judge);
  await reconcile(lab);
  const remains = await Promise.all(
    [...trials].map(async ([key, trial]) => (await left(lab, trial)).map((text) => `${key}: ${text} for ever`)),
  );
  return [...complaints, ...remains.flat()];
}

/** The last step fails for good, so that all is undone; then each call of the unwinding fails once, and runs twice. */
export async function unwindsUnderFaults(lab: WorkflowLab, operation: Operation): Promise<string[]> {
  const { calls } = await baselineOf(lab, operation);
  const last = calls.findLast((key) => stepOf(key) && !operation.survives?.includes(key));
  if (!last) return [];
  const unwinding = { [last]: failsForGood(stepOf(last)!.failsWith) };
  const baseline = await tryOut(lab, operation, unwinding);
  const undos = baseline.calls.slice(baseline.calls.indexOf(last) + 1);
  const planted = (key: CallKey) => ({ ...unwinding, [key]: failsThenLosesItsResult });
  return (await forEachCall(lab, operation, undos, planted, asWithout(lab, baseline))).complaints;
}
