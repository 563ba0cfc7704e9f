import { join } from "node:path";
import { expect, it } from "vitest";

import { ProcessGroups } from "../../bench/process-groups.ts";
import type { CampaignOptions } from "../../campaign/campaign-options.ts";
import { FAULTS } from "../../campaign/fault.ts";
import { Ground } from "../../campaign/ground.ts";
import { runCampaign } from "../../campaign/run-campaign.ts";
import { SERVER_NAMES } from "../../campaign/server-name.ts";
import { atEnd } from "./support/at-end.ts";
import { ROOT } from "./support/build.ts";
import { requires } from "./support/requires.ts";

/** Its twenty faults are of every kind and strike every server, with both clients. */
const SEED = 101_115;
const FAULTS_HERE = 20;
/** Its first cycle flushes rarely and uses no FUA: there is always something to lose. */
const CONTROL_SEED = 10;
const CONTROL_FAULTS = 5;

async function campaign(options: Pick<CampaignOptions, "faults" | "seed" | "unflushed">) {
  const ground = await Ground.create(new ProcessGroups());
  atEnd(() => ground.end());
  let text = "";
  const display = (part: string): void => void (text += part);
  const all: CampaignOptions = { fault: [], server: [], keepGoing: true, json: undefined, ...options };
  const result = await runCampaign(all, join(ROOT, "dist", "main.js"), ground, display);
  console.log(text);
  return { ...result, text, isPrivate: ground.notPrivate === undefined };
}

const programs = ["nbdkit", "qemu-nbd", "nbd-server", "fio", "unshare", "nsenter", "ip", "nft", "ss"];
const isRoot = process.getuid?.() === 0;

requires(...programs, ...(isRoot ? [] : ["root"]))("a short campaign of real faults", () => {
  it("loses nothing that was acknowledged, whatever strikes", async () => {
    const { isGood, summary, text, isPrivate } = await campaign({ faults: FAULTS_HERE, seed: SEED, unflushed: "log" });
    expect(isGood, text).toBe(true);
    expect(isPrivate, text).toBe(true);
    expect(summary.total.faults).toBe(FAULTS_HERE);
    expect(summary.total.unflushed).toBeGreaterThan(3);
    expect(new Set(summary.rows.map(({ fault }) => fault))).toEqual(new Set(FAULTS));
    expect(new Set(summary.rows.map(({ server }) => server))).toEqual(new Set(SERVER_NAMES));
  }, 180_000);

  it("loses something in most power losses when nothing is protected", async () => {
    const { isGood, summary, text } = await campaign({ faults: CONTROL_FAULTS, seed: CONTROL_SEED, unflushed: "off" });
    expect(isGood, text).toBe(true);
    expect(summary.total).toMatchObject({ faults: CONTROL_FAULTS });
    expect(summary.rows.map(({ fault }) => fault)).toEqual(["power-loss"]);
  }, 180_000);
});
