/** A picture of a trial's figures, whichever trial it is. `npm run bench:plot` draws those that it finds in a report. */
export interface Chart {
  /** Unique within its trial; part of the file's name: small letters, digits and hyphens. */
  readonly name: string;
  readonly title: string;
  /** Bars stand in groups, one group per category; lines go from category to category. */
  readonly kind: "bars" | "lines";
  /** What the values are, at the axis. */
  readonly unit: string;
  /** What stands below the groups, or along the lines. */
  readonly categories: readonly string[];
  readonly series: readonly {
    readonly name: string;
    /** One for each category; null where there is none. */
    readonly values: readonly (number | null)[];
  }[];
}
