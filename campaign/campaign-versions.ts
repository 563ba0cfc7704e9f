import { answerOf, describeVersions } from "../bench/machine.ts";

/** The versions of all programs that may take part and are installed, by name. */
export function campaignVersions(): Record<string, string> {
  const { socat: _, ...versions } = describeVersions();
  const nbdServer = /\d+(?:\.\d+)+/.exec(answerOf("nbd-server", "-V") ?? "")?.[0];
  return { node: process.version, ...versions, ...(nbdServer === undefined ? {} : { "nbd-server": nbdServer }) };
}

/** The commit that is checked out, with a plus behind it if the files differ from it; null outside of a repository. */
export function describeCommit(): string | null {
  const commit = answerOf("git", "rev-parse", "--short=12", "HEAD");
  if (commit === undefined) return null;
  return answerOf("git", "status", "--porcelain") === "" ? commit : `${commit}+`;
}
