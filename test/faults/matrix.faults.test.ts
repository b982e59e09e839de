import { openFaultBench } from './fault-bench.ts';
import { faultMatrix } from './fault-matrix.ts';
import { faultSeed } from './fault-seed.ts';
import { cancelInEachPhase } from './cancel-operations.ts';
import { surviveEachFault } from './survive-operation-faults.ts';
import { surviveFaults } from './survive-faults.ts';

const bench = openFaultBench();
surviveFaults(bench, faultMatrix);
surviveEachFault(bench, faultSeed(Date.now() % 1_000_000), 10);
cancelInEachPhase(bench);
