import assert from "node:assert";

import type { Chart } from "../chart.ts";
import { startMemoryServer } from "../memory-server.ts";
import type { Trial, TrialContext, TrialReport } from "../trial.ts";
import { memoryCourse } from "./memory-course.ts";
import { runSoak } from "./run-soak.ts";
import type { Soak, SoakPace } from "./run-soak.ts";
import { soakTable } from "./soak-table.ts";
import type { SoakRow } from "./soak-table.ts";

const SAMPLE_SECONDS = 5;
const IDLE_SECONDS = 30;
/** A short one, for a try, has fewer samples, but these at least. */
const SAMPLES_MIN = 8;

interface SoakReport extends TrialReport {
  readonly programs: readonly (SoakRow & Pick<Soak, "load" | "samples">)[];
}

/** Whether ours grows while it works, and rests when there is nothing to do. */
export const SOAK: Trial = {
  name: "soak",
  about: "Does it grow under a long load, and rest when there is nothing to do?",
  onRequest: true,
  run,
};

async function run({ options, groups, display, contenders }: TrialContext): Promise<SoakReport> {
  const pace = paceOf(options.soakMinutes * 60);
  const programs: SoakReport["programs"][number][] = [];
  const serverPort = await startMemoryServer(groups, "newstyle", options.sizeMib);
  for (const { name, command } of contenders.filter(({ role }) => role === "ours")) {
    assert(command !== undefined, "ours is a program");
    const say = (text: string): void => display.progress(`soak, ${name}: ${text}`);
    const soak = await runSoak(groups, command, serverPort, pace, say);
    programs.push({ name, ...memoryCourse(soak.samples), ...soak });
  }
  display.result(soakTable(programs));
  return { failed: false, programs, charts: [chartOf(programs)] };
}

function paceOf(loadSeconds: number): SoakPace {
  return {
    loadSeconds,
    sampleSeconds: Math.min(SAMPLE_SECONDS, loadSeconds / SAMPLES_MIN),
    idleSeconds: Math.min(IDLE_SECONDS, loadSeconds),
  };
}

function chartOf(programs: SoakReport["programs"]): Chart {
  const longest = programs.map(({ samples }) => samples).sort((a, b) => b.length - a.length)[0] ?? [];
  return {
    name: "memory",
    title: "Resident memory under a mixed load",
    kind: "lines",
    unit: "MiB",
    categories: longest.map(({ atSeconds }) => minutesAndSeconds(atSeconds)),
    series: programs.map(({ name, samples }) => ({
      name,
      values: longest.map((_, i) => {
        const sample = samples[i];
        return sample === undefined ? null : sample.residentKib / 1024;
      }),
    })),
  };
}

function minutesAndSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
