/** Figures to stdout, progress to stderr. */
export interface Display {
  result(text: string): void;
  progress(text: string): void;
}
