import type { RecipeSource } from '../../../workflows/contract/image-source.ts';

/** Where all of a recipe lies in the guest while it runs. In memory: nothing of it stays. */
export const recipeFolder = '/run/cloudlet-recipe';

/**
 * What the guest agent is asked to run. The disk of the recipe is a tar archive, so that any guest can read it. Asking
 * again does nothing, and whoever asked need not stay: the guest writes log and status by itself.
 */
export const launcher = `mkdir ${recipeFolder} 2>/dev/null || exit 0
cd ${recipeFolder} && tar xf /dev/vdb -C / ${recipeFolder.slice(1)}
(sh ./run >log 2>&1; echo $? >status.part; mv status.part status) </dev/null >/dev/null 2>&1 &`;

/**
 * The program that carries a recipe out in its guest: lays the files out, runs the commands up to the first that fails,
 * and leaves the disk as clean and as read-only as it was.
 */
export function recipeScript({ commands }: Pick<RecipeSource, 'commands'>): string {
  const total = commands.length;
  return [
    '#!/bin/sh',
    "if grep -q '^[^ ]* / [^ ]* ro[, ]' /proc/mounts; then",
    '  mount -o remount,rw / || exit 1',
    "  trap 'sync; mount -o remount,ro /' EXIT",
    'else',
    '  trap sync EXIT',
    'fi',
    'cd / && tar xf /dev/vdb || exit 1',
    ...commands.flatMap((command, index) => [
      `echo ${quoted(stepLine(index + 1, total, command))}`,
      `sh -e ${recipeFolder}/command-${index + 1} </dev/null || { status=$?; echo ${quoted(`==> command ${index + 1} ended with status`)} $status; exit $status; }`,
    ]),
    '',
  ].join('\n');
}

/** Begins the part of the log that a command writes. */
const stepLine = (step: number, total: number, command: string): string => `==> [${step}/${total}] ${command.trim().split('\n', 1)[0]!}`;

const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** How far a recipe is, read from a part of its log. @returns the last command that it says has begun */
export function lastStep(log: string): { readonly step: number; readonly total: number; readonly command: string } | undefined {
  const last = [...log.matchAll(/^==> \[(\d+)\/(\d+)\] (.*)$/gm)].at(-1);
  return last && { step: Number(last[1]), total: Number(last[2]), command: last[3]! };
}

/** The end of what the last command wrote, for a sentence that says what went wrong. */
export function lastWords(log: string): string {
  const lines = log
    .slice(Math.max(0, log.lastIndexOf('==> [')))
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('==> '));
  return lines.slice(-3).join(' ').slice(-500);
}
