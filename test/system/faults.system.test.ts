import { sampleOf } from '../faults/fault-matrix.ts';
import { surviveFaults } from '../faults/survive-faults.ts';

// `npm run test:faults` runs the whole matrix.
surviveFaults(sampleOf(20_261_122));
