import type { ReactNode } from 'react';
import { classes } from './classes.ts';

/** One column: its heading and how it shows a row. */
export interface Column<Row> {
  readonly header: string;
  readonly cell: (row: Row) => ReactNode;
  readonly align?: 'end';
  /** Where it goes when rows become cards on a narrow page; elsewhere it is a labelled line. */
  readonly place?: 'title' | 'state' | 'actions';
  /** Space for it only where there is plenty. */
  readonly wideOnly?: boolean;
}

interface DataTableProps<Row> {
  /** Says what the table holds, to those who cannot see what is around it. */
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
}

/** A table; on a narrow page each row becomes a card. Belongs into a container. */
export function DataTable<Row>({ caption, columns, rows, keyOf }: DataTableProps<Row>) {
  return (
    <table className="data-table">
      <caption className="sr-only">{caption}</caption>
      <thead>
        <tr>
          {columns.map(({ header, align, place, wideOnly }) => (
            <th key={header} scope="col" data-align={align} className={classes(wideOnly && wideOnlyClass)}>
              {place === 'actions' ? <span className="sr-only">{header}</span> : header}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={keyOf(row)}>
            {columns.map(({ header, cell, align, place, wideOnly }) => (
              <td
                key={header}
                data-align={align}
                data-place={place}
                data-label={place === undefined ? header : undefined}
                className={classes(wideOnly && wideOnlyClass)}
              >
                {cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Neither where columns are tight nor, to keep cards short, where there are none. */
const wideOnlyClass = 'hidden @min-[60rem]:table-cell';
