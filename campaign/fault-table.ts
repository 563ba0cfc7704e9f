import { FAULTS } from "./fault.ts";
import type { Fault } from "./fault.ts";
import { SERVER_NAMES, SERVER_PROGRAMS } from "./server-name.ts";
import type { ServerName } from "./server-name.ts";

/** The faults that may strike a server, each with how often it does compared to the others. */
export type FaultWeights = Readonly<Partial<Record<Fault, number>>>;

/** What a campaign can choose from. */
export interface Choices {
  readonly servers: readonly {
    readonly server: ServerName;
    /** How often this server is run compared to the others. */
    readonly weight: number;
    readonly faults: FaultWeights;
  }[];
  /** Whether fio may be the client now and then. */
  readonly fio: boolean;
}

/** What a machine allows. */
export interface Abilities {
  readonly isInstalled: (program: string) => boolean;
  /** Why servers can't have a network and a small file system of their own; undefined when they can. */
  readonly noPrivateGround: string | undefined;
}

/** A pair of server and fault that can't take part, and why. */
export interface LeftOut {
  readonly what: string;
  readonly reason: string;
}

/**
 * Which fault goes with which server. Only nbdkit has a cache that a kill takes away: what the others have written is in
 * the kernel's hands, so that for them to be killed is no loss of power.
 */
const TABLE: Readonly<Record<ServerName, FaultWeights>> = {
  "nbdkit-cache": { "power-loss": 12, stop: 1, reset: 1, drop: 1, enospc: 1, "other-size": 1 },
  nbdkit: { kill: 2, stop: 1, reset: 1, drop: 1, enospc: 1, "other-size": 1 },
  "qemu-nbd": { kill: 2, stop: 1, reset: 1, drop: 1, enospc: 1, "other-size": 1 },
  "nbd-server": { kill: 2, stop: 1, reset: 1, drop: 1, enospc: 1, "other-size": 1 },
};

/** The one with the volatile cache is what a campaign is about most. */
const SERVER_WEIGHTS: Readonly<Record<ServerName, number>> = {
  "nbdkit-cache": 6,
  nbdkit: 2,
  "qemu-nbd": 2,
  "nbd-server": 2,
};

/** The pairs that were asked for and can take part here; empty lists ask for everything. Throws when none is left. */
export function chooseFaults(
  asked: { readonly fault: readonly Fault[]; readonly server: readonly ServerName[] },
  abilities: Abilities,
): { readonly choices: Choices; readonly leftOut: readonly LeftOut[] } {
  const leftOut: LeftOut[] = [];
  const servers = SERVER_NAMES.filter((server) => asked.server.length === 0 || asked.server.includes(server)).flatMap(
    (server) => {
      const program = SERVER_PROGRAMS[server];
      if (!abilities.isInstalled(program)) {
        leftOut.push({ what: server, reason: `${program} is not installed` });
        return [];
      }
      const faults: Partial<Record<Fault, number>> = {};
      for (const fault of FAULTS) {
        const weight = TABLE[server][fault];
        if (weight === undefined || (asked.fault.length > 0 && !asked.fault.includes(fault))) continue;
        const reason = needsPrivateGround(server, fault) ? abilities.noPrivateGround : undefined;
        if (reason === undefined) faults[fault] = weight;
        else leftOut.push({ what: `${fault} of ${server}`, reason });
      }
      return Object.keys(faults).length === 0 ? [] : [{ server, weight: SERVER_WEIGHTS[server], faults }];
    },
  );
  if (servers.length === 0) {
    const reasons = leftOut.map(({ what, reason }) => `${what}: ${reason}`);
    throw new Error(["there is no such fault with such a server", ...reasons].join("; "));
  }
  const fio = abilities.isInstalled("fio");
  if (!fio) leftOut.push({ what: "fio as a client", reason: "fio is not installed" });
  return { choices: { servers, fio }, leftOut };
}

/** nbdkit's error filter needs no file system that is full. */
function needsPrivateGround(server: ServerName, fault: Fault): boolean {
  if (fault === "reset" || fault === "drop") return true;
  return fault === "enospc" && SERVER_PROGRAMS[server] !== "nbdkit";
}
