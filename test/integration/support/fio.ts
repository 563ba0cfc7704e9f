import { run } from "./run.ts";
import { scratchFolder } from "./scratch-folder.ts";

/** Runs fio with its NBD engine, checking checksums of everything it wrote; returns its report, throws when one is wrong. */
export async function fioVerify(uri: string, ...args: readonly string[]): Promise<string> {
  return run("fio", ...(await fioVerifyArgs(uri, ...args)));
}

/** The arguments of such a run. */
export async function fioVerifyArgs(uri: string, ...args: readonly string[]): Promise<string[]> {
  // Its state files would otherwise land where the tests were started.
  const folder = await scratchFolder();
  return [
    "--name=verify",
    "--ioengine=nbd",
    `--uri=${uri}`,
    `--aux-path=${folder}`,
    "--verify=crc32c",
    "--verify_fatal=1",
    "--verify_state_save=0",
    ...args,
  ];
}
