import { open } from 'node:fs/promises';
import { extname } from 'node:path';
import type { AppChange } from '../../workflows/contract/app.ts';
import { openArchive } from './open-archive.ts';
import { manifestName, readApk, type AppIcon } from './read-apk.ts';
import { refusedApp } from './refused-app.ts';

/** What a file turned out to be. */
export interface InspectedApp {
  readonly contentType: string;
  readonly versionCode: number | null;
  readonly icon: AppIcon | null;
  readonly said: AppChange;
}

const apkType = 'application/vnd.android.package-archive';

/**
 * Looks through a file that somebody offers as an app. One that is called an APK, or is one, must be a good one; any
 * other says nothing of itself.
 * @throws CloudletError `unprocessable-app`
 */
export async function inspectApp(path: string, fileName: string): Promise<InspectedApp> {
  const isCalledApk = extname(fileName).toLowerCase() === '.apk';
  if (!(await isArchive(path))) {
    if (isCalledApk) throw refusedApp('it is called an APK, but is no ZIP archive');
    return { contentType: 'application/octet-stream', versionCode: null, icon: null, said: {} };
  }
  await using archive = await openArchive(path);
  if (!isCalledApk && !archive.names.includes(manifestName)) {
    return { contentType: 'application/zip', versionCode: null, icon: null, said: {} };
  }
  const { packageName, versionName, versionCode, minAndroidVersion, label, icon } = await readApk(path, archive);
  return {
    contentType: apkType,
    versionCode,
    icon,
    said: {
      name: label ?? packageName,
      packageName,
      appVersion: versionName?.slice(0, 64) ?? null,
      minAndroidVersion: minAndroidVersion.slice(0, 32),
    },
  };
}

/** Whether it begins like a ZIP archive. */
async function isArchive(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.readUInt32LE(0) === 0x0403_4b50;
  } finally {
    await file.close();
  }
}
