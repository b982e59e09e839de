/** An upload: a file that an admin sends in pieces (tus 1.0), for an operation to make something of. */
import { Type, type Static } from 'typebox';

export const sha256Pattern = '^[0-9a-f]{64}$';

/** receiving: bytes are missing, or not verified yet · complete: waits for an operation · claimed: an operation works on it */
export const uploadStates = ['receiving', 'complete', 'claimed'] as const;
export type UploadState = (typeof uploadStates)[number];

export const UploadBody = Type.Object(
  {
    id: Type.String(),
    fileName: Type.String({ description: 'As its sender calls it' }),
    state: Type.Enum([...uploadStates]),
    sizeBytes: Type.Integer(),
    receivedBytes: Type.Integer(),
    sha256: Type.Union([Type.String({ pattern: sha256Pattern }), Type.Null()], {
      description: 'Of the whole file; null until it is there',
    }),
    operationId: Type.Union([Type.String(), Type.Null()], { description: 'The operation that works on it' }),
    createdAt: Type.String({ format: 'date-time' }),
  },
  { $id: 'Upload' },
);
export type UploadBody = Static<typeof UploadBody>;
