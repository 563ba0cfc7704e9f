import type { TrialReport } from "../trial.ts";
import type { Link } from "./link.ts";

/** What the trial of links found. */
export interface LinksReport extends TrialReport {
  readonly links: readonly LinkReport[];
}

/** What was measured over one link. */
export interface LinkReport {
  readonly link: Link;
  readonly rows: readonly LinkRow[];
}

/** What was measured of one pattern over a link. */
export interface LinkRow {
  readonly pattern: string;
  readonly results: readonly LinkResult[];
}

/** How one contender did. */
export interface LinkResult {
  readonly contender: string;
  /** By round. Fewer than asked for when it failed. */
  readonly rounds: readonly LinkFigures[];
  /** The medians of the rounds; null when it failed. */
  readonly figures: LinkFigures | null;
  readonly failure: string | null;
}

/** The figures of one contender that read one pattern over one link. */
export interface LinkFigures {
  readonly readsPerSecond: number;
  readonly mibPerSecond: number;
  /** Bytes that the server was asked for, by each that the client asked for. */
  readonly fetchedPerAsked: number;
  /** What the reader that got least got, as a part of the average. */
  readonly slowestShare: number;
}
