import { bytesPerMib } from '../../workflows/contract/units.ts';
import { androidVersion } from './android-versions.ts';
import type { Archive } from './open-archive.ts';
import { readBinaryXml, type XmlElement } from './read-binary-xml.ts';
import { readStrangers, refusedApp } from './refused-app.ts';
import { valueType, type ResourceValue } from './resource-chunk.ts';
import { ResourceTable } from './resource-table.ts';
import { hasSigningBlock } from './signing-block.ts';

export interface AppIcon {
  readonly bytes: Buffer;
  readonly contentType: string;
}

/** What an APK says of itself. */
export interface ApkFacts {
  readonly packageName: string;
  readonly versionName: string | null;
  readonly versionCode: number | null;
  /** As people name it, e.g. `5.0`. */
  readonly minAndroidVersion: string;
  readonly label: string | null;
  readonly icon: AppIcon | null;
}

export const manifestName = 'AndroidManifest.xml';
const limits = { manifestBytes: 4 * bytesPerMib, resourcesBytes: 64 * bytesPerMib, iconBytes: bytesPerMib } as const;
/** `android.R.attr`: how the system knows attributes, whatever a tool made of their names. */
const attributeIds = {
  label: 0x0101_0001,
  icon: 0x0101_0002,
  minSdkVersion: 0x0101_020c,
  versionCode: 0x0101_021b,
  versionName: 0x0101_021c,
} as const;
const packagePattern = /^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+$/;

/**
 * Reads what an APK says of itself, and looks whether it is signed at all: one that is not, no phone installs.
 * @throws CloudletError `unprocessable-app`
 */
export async function readApk(path: string, archive: Archive): Promise<ApkFacts> {
  const manifest = await archive.read(manifestName, limits.manifestBytes);
  if (!manifest) throw refusedApp(`it has no ${manifestName}, so it is not an APK`);
  if (!(await isSigned(path, archive))) throw refusedApp('it is not signed; sign it with apksigner');
  const { root, application, usesSdk } = readStrangers('its manifest', () => elementsOf(manifest));
  const said = (value: ResourceValue | undefined) => readStrangers('its manifest', () => value?.text());
  const packageName =
    said(readStrangers('its manifest', () => root?.attributes.find(({ name, id }) => id === 0 && name() === 'package'))?.value) ?? '';
  if (!packagePattern.test(packageName) || packageName.length > 255) throw refusedApp('its manifest names no package');
  const resources = await archive.read('resources.arsc', limits.resourcesBytes);
  const table = resources && readStrangers('its resources', () => new ResourceTable(resources));
  const text = (element: XmlElement | undefined, id: number) => readStrangers('its resources', () => textOf(attribute(element, id), table));
  const versionCode = attribute(root, attributeIds.versionCode)?.data ?? null;
  const minSdk = attribute(usesSdk, attributeIds.minSdkVersion);
  return {
    packageName,
    versionName: text(root, attributeIds.versionName),
    versionCode,
    minAndroidVersion: printable(said(minSdk)) ?? androidVersion(minSdk?.data ?? 1),
    label: text(application, attributeIds.label),
    icon: await readIcon(archive, attribute(application, attributeIds.icon), table),
  };
}

async function isSigned(path: string, { names }: Archive): Promise<boolean> {
  const has = (pattern: RegExp) => names.some((name) => pattern.test(name));
  // Scheme 1, the signature of a JAR, lies in the archive itself.
  return (has(/^META-INF\/[^/]+\.SF$/i) && has(/^META-INF\/[^/]+\.(RSA|DSA|EC)$/i)) || (await hasSigningBlock(path));
}

function elementsOf(manifest: Buffer) {
  const found: { root?: XmlElement; application?: XmlElement; usesSdk?: XmlElement } = {};
  for (const element of readBinaryXml(manifest)) {
    if (element.name === 'manifest') found.root ??= element;
    if (element.name === 'application') found.application ??= element;
    if (element.name === 'uses-sdk') found.usesSdk ??= element;
  }
  return found;
}

const attribute = (element: XmlElement | undefined, id: number): ResourceValue | undefined =>
  element?.attributes.find((each) => each.id === id)?.value;

/** In the language of those who wrote the app. */
function textOf(value: ResourceValue | undefined, table: ResourceTable | undefined): string | null {
  if (value?.type !== valueType.reference) return printable(value?.text());
  const values = table?.valuesOf(value.data) ?? [];
  return printable((values.find(({ isDefaultLanguage }) => isDefaultLanguage) ?? values[0])?.text());
}

/** On one line, of a length that a list can show. */
function printable(text: string | undefined): string | null {
  const line = (text ?? '')
    .toWellFormed()
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim();
  return line === '' ? null : line.slice(0, 200).toWellFormed();
}

const pictures: readonly (readonly [contentType: string, name: RegExp, magic: RegExp])[] = [
  ['image/png', /\.png$/i, /^\x89PNG\r\n/],
  ['image/webp', /\.webp$/i, /^RIFF.{4}WEBP/s],
  ['image/jpeg', /\.jpe?g$/i, /^\xff\xd8\xff/],
];

/** The sharpest picture. One that Android draws from XML is none that a browser shows. */
async function readIcon(archive: Archive, value: ResourceValue | undefined, table: ResourceTable | undefined): Promise<AppIcon | null> {
  if (!value) return null;
  const candidates = readStrangers('its resources', () =>
    value.type === valueType.reference ? (table?.valuesOf(value.data) ?? []) : [{ ...value, density: 0 }],
  );
  for (const { text } of candidates.toSorted((a, b) => b.density - a.density)) {
    const path = readStrangers('its resources', text) ?? '';
    const picture = pictures.find(([, name]) => name.test(path));
    const bytes = picture && (await archive.read(path, limits.iconBytes));
    if (bytes && picture[2].test(bytes.toString('latin1', 0, 16))) return { bytes, contentType: picture[0] };
  }
  return null;
}
