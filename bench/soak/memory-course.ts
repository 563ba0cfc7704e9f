/** A process at one moment of a load. */
export interface Sample {
  /** Since the load began. */
  readonly atSeconds: number;
  readonly residentKib: number;
  /** Processors kept busy since the sample before. */
  readonly cpuShare: number;
}

/** How the resident memory went under a load. */
export interface MemoryCourse {
  /** After a quarter of the samples, half of them, three quarters, and all, in MiB. */
  readonly quartersMib: readonly number[];
  readonly peakMib: number;
  /** Over the last half; null with fewer than two samples in it. */
  readonly slopeMibPerMinute: number | null;
}

const QUARTERS = [0.25, 0.5, 0.75, 1];

/** Sums up evenly spaced samples, of which there must be one at least. */
export function memoryCourse(samples: readonly Sample[]): MemoryCourse {
  const memory = samples.map(({ residentKib }) => residentKib / 1024);
  return {
    quartersMib: QUARTERS.map((share) => memory[Math.max(0, Math.round(samples.length * share) - 1)] ?? Number.NaN),
    peakMib: Math.max(...memory),
    slopeMibPerMinute: slope(samples.slice(samples.length >> 1)),
  };
}

/** Of the straight line with the least squares of deviations. */
function slope(samples: readonly Sample[]): number | null {
  if (samples.length < 2) return null;
  const minutes = samples.map(({ atSeconds }) => atSeconds / 60);
  const memory = samples.map(({ residentKib }) => residentKib / 1024);
  const meanMinutes = mean(minutes);
  const meanMemory = mean(memory);
  const deviations = minutes.map((minute) => minute - meanMinutes);
  const together = deviations.reduce((sum, deviation, i) => sum + deviation * ((memory[i] ?? 0) - meanMemory), 0);
  return together / deviations.reduce((sum, deviation) => sum + deviation ** 2, 0);
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}
