import { describe, expect, it } from "vitest";

import { chosenTrials } from "../../../bench/chosen-trials.ts";
import type { Trial } from "../../../bench/trial.ts";

function trial(name: string, more: Pick<Trial, "onRequest" | "workloads"> = {}): Trial {
  return { name, about: "", run: () => Promise.resolve({ failed: false }), ...more };
}

const trials = [
  trial("speed", { workloads: ["read-4k", "write-4k"] }),
  trial("crowd", { workloads: ["read-4k", "read-128k"] }),
  trial("outage"),
  trial("soak", { onRequest: true }),
];

function chosen(trialNames: readonly string[], workloads: readonly string[] = []): string[] {
  return chosenTrials(trials, { trial: trialNames, workload: workloads }).map((one) =>
    [one.trial.name, ...one.workloads].join(" "),
  );
}

describe("chosenTrials", () => {
  it("are all but those that must be asked for", () => {
    expect(chosen([])).toEqual(["speed read-4k write-4k", "crowd read-4k read-128k", "outage"]);
  });

  it("are those named, in their own order", () => {
    expect(chosen(["soak", "crowd"])).toEqual(["crowd read-4k read-128k", "soak"]);
  });

  it("have the workloads asked for, and none is run without any unless it has no such choice", () => {
    expect(chosen([], ["write-4k"])).toEqual(["speed write-4k", "outage"]);
    expect(chosen([], ["read-4k"])).toEqual(["speed read-4k", "crowd read-4k", "outage"]);
  });

  it("tell what there is when a name means nothing", () => {
    expect(() => chosen(["spee"])).toThrow('"spee" is none of speed, crowd, outage, soak');
    expect(() => chosen(["speed"], ["128k"])).toThrow('"128k" is none of read-4k, write-4k');
  });
});
