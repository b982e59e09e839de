import { faultMatrix } from './fault-matrix.ts';
import { surviveFaults } from './survive-faults.ts';

surviveFaults(faultMatrix);
