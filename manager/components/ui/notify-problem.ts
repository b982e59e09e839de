import type { ShownProblem } from '../../lib/api/api-error.ts';
import { notify } from './toaster.tsx';

/** Tells that something that was asked for did not happen, and why. */
export const notifyProblem = ({ title, detail }: ShownProblem): void => notify({ tone: 'bad', title, description: detail });
