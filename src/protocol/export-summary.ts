/** One export in a list. */
export interface ExportSummary {
  readonly name: string;
  readonly description: string;
}
