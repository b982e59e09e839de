/** Colours, cursor movements and titles that a guest's console sends to a terminal. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const escapeSequence = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g;
// oxlint-disable-next-line no-control-regex -- all but tab and newline
const otherControl = /[\u0000-\u0008\u000b-\u001f\u007f]/g;

/**
 * The end of a serial log as text that a page can show.
 * @returns at most `maximumLines` lines, and how many came before them
 */
export function plainLog(text: string, maximumLines: number): { readonly text: string; readonly linesBefore: number } {
  const lines = text
    .replaceAll(escapeSequence, '')
    .replaceAll('\r\n', '\n')
    .replaceAll(otherControl, '')
    .replace(/^\n+/, '')
    .trimEnd()
    .split('\n');
  const linesBefore = Math.max(0, lines.length - maximumLines);
  return { text: lines.slice(linesBefore).join('\n'), linesBefore };
}
