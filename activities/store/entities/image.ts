import { defineEntity, p } from '@mikro-orm/core';
import { Host } from './host.ts';

/** A file known by its content. Immutable: a change is another image. */
const ImageSchema = defineEntity({
  name: 'Image',
  tableName: 'images',
  properties: {
    id: p.uuid().primary(),
    sha256: p.character().length(64).unique(),
    kind: p.enum(['disk', 'memory'] as const),
    sizeBytes: p.bigint('number'),
    /** Of a disk: how large the guest sees it. */
    virtualSizeBytes: p.bigint('number').strictNullable(),
    /** Of a disk that is a difference: the image below it. */
    backing: () => p.manyToOne(Image).ref().strictNullable().deleteRule('restrict'),
    createdAt: p.datetime().onCreate(() => new Date()),
  },
});

export class Image extends ImageSchema.class {}
ImageSchema.setClass(Image);

/** Which host holds a copy of an image. */
const ImageLocationSchema = defineEntity({
  name: 'ImageLocation',
  tableName: 'image_locations',
  properties: {
    image: () => p.manyToOne(Image).ref().primary(),
    host: () => p.manyToOne(Host).ref().primary(),
    /** When its content was last hashed; null since it came. */
    verifiedAt: p.datetime().nullable(),
    /** What is wrong with the copy, in words; null as far as anybody knows. */
    damage: p.text().nullable(),
  },
});

export class ImageLocation extends ImageLocationSchema.class {}
ImageLocationSchema.setClass(ImageLocation);
