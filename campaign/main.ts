import { existsSync } from "node:fs";

import { CommanderError } from "commander";

import { ProcessGroups } from "../bench/process-groups.ts";
import { parseCampaignOptions } from "./campaign-options.ts";
import { Ground } from "./ground.ts";
import { runCampaign } from "./run-campaign.ts";

const SIGNAL_STATUS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

process.exitCode = await main(process.argv.slice(2));

/** Runs the command line, in which the built main.js of the proxy comes first; resolves to the exit status. */
async function main([built = "", ...argv]: readonly string[]): Promise<number> {
  const groups = new ProcessGroups();
  let ground: Ground | undefined;
  // Also when something was thrown, or stdout is gone.
  process.once("exit", () => (ground ?? groups).kill());
  for (const [signal, status] of Object.entries(SIGNAL_STATUS)) process.once(signal, () => process.exit(status));
  const out = (text: string): void => void process.stdout.write(text);
  const error = (text: string): void => void process.stderr.write(text);
  try {
    const options = parseCampaignOptions(argv, { out, error });
    if (!existsSync(built)) throw new Error("dist/main.js is missing: npm run build");
    ground = await Ground.create(groups);
    return (await runCampaign(options, built, ground, out)).isGood ? 0 : 1;
  } catch (failure) {
    if (failure instanceof CommanderError) return failure.exitCode === 0 ? 0 : 2;
    error(`campaign: ${failure instanceof Error ? failure.message : String(failure)}\n`);
    return 1;
  } finally {
    await ground?.end();
    await groups.end();
  }
}
