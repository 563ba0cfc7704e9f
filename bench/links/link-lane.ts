import type { Contender } from "../contender.ts";
import { failureText } from "../failure-text.ts";
import type { ProcessGroup, ProcessGroups } from "../process-groups.ts";
import { startProxy } from "../started-proxy.ts";
import type { Link } from "./link.ts";
import type { LinkFigures } from "./links-report.ts";
import type { ReadPattern } from "./read-pattern.ts";
import { replay } from "./replay.ts";
import { SlowServer } from "./slow-server.ts";

const MIB = 1024 * 1024;

/** A contender in front of a server of its own, at the end of a link. */
export class LinkLane {
  readonly contender: Contender;
  readonly #server: SlowServer;
  /** Where it takes clients. */
  readonly #port: number;
  /** Undefined when nothing stands in between. */
  readonly #group: ProcessGroup | undefined;

  private constructor(contender: Contender, server: SlowServer, port: number, group: ProcessGroup | undefined) {
    this.contender = contender;
    this.#server = server;
    this.#port = port;
    this.#group = group;
  }

  /** Starts both, the server with a disk of that size. */
  static async start(groups: ProcessGroups, link: Link, contender: Contender, sizeBytes: number): Promise<LinkLane> {
    const server = await SlowServer.start(groups, link, sizeBytes);
    if (contender.command === undefined) return new LinkLane(contender, server, server.port, undefined);
    try {
      const { port, group } = await startProxy(groups, contender.command, server.port);
      return new LinkLane(contender, server, port, group);
    } catch (error) {
      await server.end();
      throw error;
    }
  }

  /** Has a pattern read, for so long unless it ends by itself. What is thrown says what the contender wrote to stderr. */
  async measure(pattern: ReadPattern, areaOffset: number, limitMs: number): Promise<LinkFigures> {
    const ends = pattern.kind === "boot";
    try {
      const { seconds, reads, bytes, slowestShare } = await replay(pattern, {
        port: this.#port,
        areaOffset,
        limitMs: ends ? Infinity : limitMs,
      });
      const fetchedPerAsked = (await this.#server.takeFetchedBytes()) / bytes;
      return {
        readsPerSecond: reads / seconds,
        mibPerSecond: bytes / MIB / seconds,
        fetchedPerAsked,
        slowestShare,
      };
    } catch (error) {
      const said = this.#group?.stderr.trim() ?? "";
      const failure = failureText(error);
      throw new Error(said === "" ? failure : `${failure}; it said: ${said}`, { cause: error });
    }
  }

  async end(): Promise<void> {
    await this.#group?.end();
    await this.#server.end();
  }
}
