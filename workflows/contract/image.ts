/** Images as `/v1` shows them: files known by their content, and the versions of services that are made of them. */
import { Type, type Static } from 'typebox';
import { accelerators } from './cloudlet.ts';

const Time = Type.String({ format: 'date-time' });
const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()]);
const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$', description: 'SHA-256 of the content, hex' });

export const ImageBody = Type.Object(
  {
    sha256: Sha256,
    kind: Type.Union([Type.Literal('disk'), Type.Literal('memory')]),
    sizeBytes: Type.Integer(),
    virtualSizeBytes: nullable(Type.Integer({ description: 'Of a disk: how large a guest sees it' })),
    backing: nullable(Type.String({ description: 'Of a disk that is a difference: SHA-256 of the one below it' })),
    usedBy: Type.Array(Type.Object({ serviceId: Type.String(), version: Type.Integer() }), {
      description: 'Versions of services that are made of it, those in the trash too; none: it is removed soon',
    }),
    copies: Type.Array(
      Type.Object({
        hostId: Type.String(),
        verifiedAt: nullable(Type.String({ format: 'date-time', description: 'When its content was last hashed' })),
        damage: nullable(Type.String({ description: 'What was wrong with it then' })),
      }),
    ),
    createdAt: Time,
  },
  { $id: 'Image', description: 'A file that never changes, known by its content' },
);
export type ImageBody = Static<typeof ImageBody>;

export const ServiceImageBody = Type.Object(
  {
    version: Type.Integer(),
    selected: Type.Boolean({ description: 'New instances start from it' }),
    disk: Sha256,
    diskBytes: Type.Integer(),
    savedState: nullable(
      Type.Object({
        sizeBytes: Type.Integer({ description: 'Of the memory and the disk that belongs to it' }),
        memoryMib: Type.Integer(),
        vcpus: Type.Integer(),
        under: Type.Object({
          accelerator: Type.Enum([...accelerators]),
          qemuVersion: Type.String(),
          machine: Type.String(),
          cpuModel: Type.String(),
        }),
        fits: Type.Boolean({ description: 'Whether a host that is up can restore it; one that fits none is made anew' }),
      }),
    ),
    instances: Type.Integer({ description: 'Instances that run on it' }),
    createdAt: Time,
  },
  { $id: 'ServiceImage', description: 'One version of what a service is started from' },
);
export type ServiceImageBody = Static<typeof ServiceImageBody>;
