import { defineEntity, p } from '@mikro-orm/core';

/** A file that is sent in pieces. Its bytes lie in the data directory, under this id. */
const UploadSchema = defineEntity({
  name: 'Upload',
  tableName: 'uploads',
  indexes: [{ properties: ['createdAt'] }, { properties: ['operationId'] }],
  properties: {
    id: p.uuid().primary(),
    fileName: p.text(),
    sizeBytes: p.bigint('number'),
    /** As the client sent it, since it may ask for it again. */
    metadata: p.json<Readonly<Record<string, string | null>>>(),
    declaredSha256: p.character().length(64).strictNullable(),
    /** Of the bytes that came; null until all of them did and were found to be what was declared. */
    sha256: p.character().length(64).strictNullable(),
    /** The operation that has it to itself. */
    operationId: p.uuid().strictNullable(),
    /** Steady time of the last byte, ms. */
    touchedAtMs: p.bigint('number'),
    createdAt: p.datetime().onCreate(() => new Date()),
  },
});

export class Upload extends UploadSchema.class {}
UploadSchema.setClass(Upload);
