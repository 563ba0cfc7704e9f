import { failureText } from "./failure-text.ts";
import type { TrialReport } from "./trial.ts";

/** What is reported of a trial that broke off. */
export interface FailedTrial extends TrialReport {
  readonly failed: true;
  readonly failure: string;
}

/** The report of a trial that broke off with this error. */
export function failedTrial(error: unknown): FailedTrial {
  return { failed: true, failure: failureText(error) };
}
