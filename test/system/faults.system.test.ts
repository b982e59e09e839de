import { cancelOnce } from '../faults/cancel-operations.ts';
import { exhaustResources } from '../faults/exhaust-resources.ts';
import { openFaultBench } from '../faults/fault-bench.ts';
import { sampleOf } from '../faults/fault-matrix.ts';
import { faultSeed } from '../faults/fault-seed.ts';
import { surviveAllFaults } from '../faults/survive-operation-faults.ts';
import { surviveFaults } from '../faults/survive-faults.ts';

// `npm run test:faults` runs the whole matrix.
const seed = faultSeed(20_261_122);
const bench = openFaultBench();
surviveFaults(bench, sampleOf(seed));
surviveAllFaults(bench, seed);
cancelOnce(bench, seed);
exhaustResources(bench);
