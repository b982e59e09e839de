/** Ports from `first` to `last`, both included. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

const pattern = /^(\d{1,5})-(\d{1,5})$/;

/** @returns the range that e.g. `20000-29999` says, undefined where it says none */
export function parsePortRange(text: string): PortRange | undefined {
  const match = pattern.exec(text);
  if (!match) return undefined;
  const range = { first: Number(match[1]), last: Number(match[2]) };
  return range.first >= 1 && range.last <= 65_535 && range.first <= range.last ? range : undefined;
}

export const formatPortRange = (range: PortRange): string => `${range.first}-${range.last}`;

export const rangeHolds = (range: PortRange, port: number): boolean => port >= range.first && port <= range.last;
