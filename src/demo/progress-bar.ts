/** How far a copy is, and what happens meanwhile. */
export interface Progress {
  readonly phase: string;
  readonly doneBytes: number;
  readonly sizeBytes: number;
  /** Where the server was killed, in bytes done. */
  readonly killsAtBytes: readonly number[];
  readonly serverIsUp: boolean;
  /** What happened last, in a few words. */
  readonly note: string;
}

/** Colours as escape sequences around a text, or none. */
export type Paint = (colour: Colour, text: string) => string;

type Colour = "green" | "yellow" | "red";

const PHASE_COLUMNS = 8;
/** Percentage and note; the longest note is that of a killed server. */
const TAIL_COLUMNS = 44;
const LONGEST_BAR = 50;
const SHORTEST_BAR = 10;

/** Part of the whole in percent, rounded down: 100 only when all is done. */
export function percentText({ doneBytes, sizeBytes }: Progress): string {
  return `${String(Math.floor((100 * doneBytes) / sizeBytes)).padStart(3)} %`;
}

/**
 * One line of at most `columns` columns: phase, bar, percentage, note. Kills are marked in the bar; where it has no place it
 * is left out, and what is too long is cut.
 */
export function progressBar(progress: Progress, columns: number, paint: Paint): string {
  const head = progress.phase.padEnd(PHASE_COLUMNS);
  const tail = `${percentText(progress)}  ${progress.note}`;
  const barColumns = columns - PHASE_COLUMNS - "[] ".length - TAIL_COLUMNS;
  if (barColumns < SHORTEST_BAR) return (head + tail).slice(0, columns);
  return `${head}[${cells(progress, Math.min(barColumns, LONGEST_BAR), paint)}] ${tail.slice(0, TAIL_COLUMNS)}`;
}

/** The bar itself: `#` for what is done, `x` where the server was killed, `.` for what is to come. */
function cells(progress: Progress, width: number, paint: Paint): string {
  const { doneBytes, sizeBytes, killsAtBytes, serverIsUp } = progress;
  const filled = Math.floor((width * doneBytes) / sizeBytes);
  const bar = Array.from({ length: width }, (_, cell): string => (cell < filled ? "#" : "."));
  for (const bytes of killsAtBytes) bar[Math.min(width - 1, Math.floor((width * bytes) / sizeBytes))] = "x";
  const done = serverIsUp ? "green" : "yellow";
  return bar.join("").replace(/#+|x+/g, (run) => paint(run.startsWith("x") ? "red" : done, run));
}
