import { formatBytes } from '../../workflows/contract/units.ts';
import { bundleLimits } from './bundle-limits.ts';
import { refuse } from './refuse.ts';

/**
 * Passes bytes on until they are more than a file of that size can honestly hold.
 * @throws CloudletError `unprocessable-bundle`
 */
export async function* guardExpansion(chunks: AsyncIterable<Buffer>, packedBytes: number): AsyncGenerator<Buffer, void> {
  const { ratio, harmlessBytes, unpackedBytes } = bundleLimits;
  const mostBytes = Math.min(unpackedBytes, Math.max(harmlessBytes, packedBytes * ratio));
  let seenBytes = 0;
  for await (const chunk of chunks) {
    seenBytes += chunk.length;
    if (seenBytes > mostBytes) {
      throw refuse(`its ${formatBytes(packedBytes)} unpack to more than ${formatBytes(mostBytes)}, as only a bomb does`);
    }
    yield chunk;
  }
}
