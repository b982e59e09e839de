const mebibyte = 2 ** 20;
const gibibyte = 2 ** 30;

/** How much of everything an archive may hold: beyond any image in use, below what harms the host. */
export interface UnpackLimits {
  /** Files of the archive itself, of which each is a layer or a description. */
  readonly archiveMembers: number;
  /** Of one JSON document; the OCI specification asks readers to take as much. */
  readonly jsonBytes: number;
  readonly layers: number;
  /** Entries of all layers together, those that later layers remove among them. */
  readonly entries: number;
  /** What files of all layers hold together. */
  readonly contentBytes: number;
  /** Times by which a layer may grow when it is decompressed; not asked below `ratioFromBytes`. */
  readonly ratio: number;
  readonly ratioFromBytes: number;
  readonly nameBytes: number;
  readonly pathBytes: number;
  readonly depth: number;
  /** Of a long name or an extended (pax) header. */
  readonly extendedHeaderBytes: number;
  /** Extended attributes of one file: what fits an inode and its block. */
  readonly attributeBytes: number;
  /** What must stay free on the host's disk. */
  readonly freeBytes: number;
}

export const unpackLimits: UnpackLimits = {
  archiveMembers: 20_000,
  jsonBytes: 4 * mebibyte,
  layers: 512,
  entries: 400_000,
  contentBytes: 64 * gibibyte,
  ratio: 200,
  ratioFromBytes: 256 * mebibyte,
  nameBytes: 255,
  pathBytes: 3500,
  depth: 128,
  extendedHeaderBytes: mebibyte,
  attributeBytes: 2048,
  freeBytes: 256 * mebibyte,
};
