/** Where a page of a list begins, the latest first: behind this row. Several rows may be of one moment. */
export interface PageStart {
  readonly at: Date;
  readonly id: string;
}
