/** An app: a client of services, which phones download from the cloudlet. */
import { Type, type Static } from 'typebox';
import { ServiceId } from './service.ts';

const closed = { additionalProperties: false } as const;
const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()]);
const Line = (maxLength: number, description: string) =>
  Type.String({ minLength: 1, maxLength, pattern: '^[^\\x00-\\x1f\\x7f-\\x9f]+$', description });

/** What an admin says of an app. Of an APK, all of it is read from the file where nothing is said. */
export const AppMetadata = Type.Object(
  {
    name: Line(200, 'As phones list it; no two apps share one'),
    description: Type.String({ maxLength: 1000 }),
    serviceId: nullable(ServiceId),
    tags: Type.Array(Line(64, 'What phones search by'), { maxItems: 32 }),
    packageName: nullable(Line(255, 'Android package')),
    appVersion: nullable(Line(64, 'Version')),
    minAndroidVersion: nullable(Line(32, 'The oldest Android that runs it, e.g. 8.0')),
  },
  closed,
);
export type AppMetadata = Static<typeof AppMetadata>;

export const AppChange = Type.Partial(AppMetadata);
export type AppChange = Static<typeof AppChange>;

const UploadId = Type.String({ format: 'uuid', description: 'A complete upload; it is used up' });

export const NewApp = Type.Object({ ...AppChange.properties, uploadId: UploadId }, closed);
export type NewApp = Static<typeof NewApp>;

export const AppBody = Type.Object(
  {
    id: Type.String(),
    ...AppMetadata.properties,
    versionCode: nullable(Type.Integer()),
    fileName: Type.String(),
    contentType: Type.String(),
    sizeBytes: Type.Integer(),
    sha256: Type.String(),
    md5: Type.String(),
    hasIcon: Type.Boolean(),
    createdAt: Type.String({ format: 'date-time' }),
    updatedAt: Type.String({ format: 'date-time' }),
  },
  { $id: 'App' },
);
export type AppBody = Static<typeof AppBody>;

/** What an install is told when it starts. */
export interface InstallInput {
  readonly operationId: string;
  /** Of a new app, or of one whose file is replaced. */
  readonly appId: string;
  readonly uploadId: string;
  readonly metadata: AppChange;
}

/** An app's file as it was found to be, in the folder of its install. */
export interface PreparedApp {
  readonly fileName: string;
  readonly contentType: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly md5: string;
  /** Of the picture that lies beside it; null where it has none. */
  readonly iconType: string | null;
  readonly versionCode: number | null;
  /** What the file says of itself. */
  readonly said: AppChange;
}

export interface InstallOutcome {
  readonly appId: string;
  readonly name: string;
  /** The install whose files nobody offers any more; null for a new app. */
  readonly replaced: string | null;
}
