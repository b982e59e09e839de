/**
 * Which faults are drawn, said so that they can be drawn again: `CLOUDLET_FAULT_SEED=… npm run test:faults`.
 * @param otherwise where nobody asks for certain ones
 */
export function faultSeed(otherwise: number): number {
  const seed = Number(process.env['CLOUDLET_FAULT_SEED'] ?? otherwise);
  process.stdout.write(`CLOUDLET_FAULT_SEED=${seed}\n`);
  return seed;
}
