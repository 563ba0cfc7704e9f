import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { shareOut } from "./campaign-jobs.ts";
import { campaignText, simulate } from "./simulate.ts";

/** The simulation as a command: what scripts/simulate.mjs runs, with the process's arguments. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: "string" },
      histories: { type: "string", default: "1000" },
      mutation: { type: "string" },
      world: { type: "string" },
      enough: { type: "string", default: "1" },
      jobs: { type: "string", default: "1" },
    },
  });
  const { histories, jobs, mutation, world, enough, seed } = values;
  const firstSeed = seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(seed);
  const campaign = { firstSeed, histories: Number(histories), mutation, world, enough: Number(enough) };
  const parent = process.send?.bind(process);
  if (parent !== undefined) {
    // A job ends when it has reported, or when nobody is left to report to.
    process.once("disconnect", () => process.exit());
    const report = await simulate(campaign);
    parent(report, () => process.disconnect());
    return;
  }
  console.log(`first seed ${firstSeed}`);
  const many = Number(jobs) > 1;
  const report = many
    ? await shareOut(campaign, Number(jobs), fileURLToPath(import.meta.url))
    : await simulate(campaign);
  for (const { text } of report.failures) console.log(`${text}\n`);
  console.log(campaignText(report));
  process.exitCode = report.failures.length > 0 ? 1 : 0;
}

await main();
