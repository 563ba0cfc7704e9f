import type { ExportSummary } from "./export-summary.ts";
import type { Geometry } from "./geometry.ts";

/** What can be served to a client. */
export interface Served {
  readonly geometry: Geometry;
}

/** The exports of a server. A promise that rejects ends the handshake with its error. */
export interface ServedExports<Opened> {
  list(): Promise<readonly ExportSummary[]>;
  /** The export of exactly this name; undefined when there is none. Also called for options that open nothing. */
  open(name: string): Promise<Opened | undefined>;
}
