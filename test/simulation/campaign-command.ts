import { parseArgs } from "node:util";
import { campaignText, simulate } from "./simulate.ts";

/** The simulation as a command: what scripts/simulate.mjs runs, with the process's arguments. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: "string" },
      histories: { type: "string", default: "1000" },
      mutation: { type: "string" },
      enough: { type: "string", default: "1" },
    },
  });
  const { histories, mutation, enough, seed } = values;
  const firstSeed = seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(seed);
  console.log(`first seed ${firstSeed}`);
  const campaign = { firstSeed, histories: Number(histories), mutation, enough: Number(enough) };
  const report = await simulate(campaign);
  for (const { text } of report.failures) console.log(`${text}\n`);
  console.log(campaignText(report));
  process.exitCode = report.failures.length > 0 ? 1 : 0;
}

await main();
