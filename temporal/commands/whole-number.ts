import { InvalidArgumentError } from 'commander';

/** Reads an argument of a command that must be a whole number above 0. */
export function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('Write a whole number above 0.');
  return Number(text);
}

/** The same, or 0. */
export const wholeNumberOrZero = (text: string): number => (text === '0' ? 0 : wholeNumber(text));
