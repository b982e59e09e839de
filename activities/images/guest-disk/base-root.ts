import path from 'node:path';

/** Folder of what every guest that is assembled here has in its root. */
export const baseRoot = path.join(import.meta.dirname, 'base-root');
