import { defineEntity, p } from '@mikro-orm/core';

/** What phones can download. Its file lies in the folder of the install that brought it. */
const AppSchema = defineEntity({
  name: 'App',
  tableName: 'apps',
  properties: {
    id: p.uuid().primary(),
    name: p.text().unique(),
    description: p.text(),
    /** The service that it is a client of. No reference: a service may come later, or come back. */
    serviceId: p.text().strictNullable(),
    tags: p.json<readonly string[]>(),
    packageName: p.text().strictNullable(),
    appVersion: p.text().strictNullable(),
    versionCode: p.bigint('number').strictNullable(),
    minAndroidVersion: p.text().strictNullable(),
    fileName: p.text(),
    contentType: p.text(),
    sizeBytes: p.bigint('number'),
    sha256: p.character().length(64),
    md5: p.character().length(32),
    iconType: p.text().strictNullable(),
    /** The operation that brought the file. */
    installedBy: p.uuid().unique(),
    /** The one before: its files go once nobody is told of them any more. */
    replacedInstall: p.uuid().strictNullable(),
    version: p.integer().version(),
    createdAt: p.datetime().onCreate(() => new Date()),
    updatedAt: p
      .datetime()
      .onCreate(() => new Date())
      .onUpdate(() => new Date()),
  },
});

export class App extends AppSchema.class {}
AppSchema.setClass(App);
