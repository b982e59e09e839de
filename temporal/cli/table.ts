import { styleText } from 'node:util';

/** A column: its heading, and the cell of a row. */
export type Column<Row> = readonly [heading: string, cell: (row: Row) => string];

/** Rows as aligned lines under a heading, or a sentence where there are none. */
export function formatTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[], none: string): string {
  if (rows.length === 0) return none;
  const cells = rows.map((row) => columns.map(([, cell]) => cell(row)));
  const widths = columns.map(([heading], index) => Math.max(heading.length, ...cells.map((line) => line[index]!.length)));
  const line = (texts: readonly string[]) =>
    texts
      .map((text, index) => text.padEnd(widths[index]!))
      .join('  ')
      .trimEnd();
  return [styleText('dim', line(columns.map(([heading]) => heading.toUpperCase()))), ...cells.map(line)].join('\n');
}
