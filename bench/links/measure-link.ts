import type { Contender } from "../contender.ts";
import type { ProcessGroup, ProcessGroups } from "../process-groups.ts";
import { startProxy } from "../started-proxy.ts";
import type { Link } from "./link.ts";
import type { LinkResult, LinkRow } from "./links-report.ts";
import type { ReadPattern } from "./read-pattern.ts";
import { AREA_BYTES, WARMUP } from "./read-pattern.ts";
import { replay } from "./replay.ts";
import { SlowServer } from "./slow-server.ts";

const MIB = 1024 * 1024;

/** Who is to read what, over which link. */
export interface LinkPlan {
  readonly link: Link;
  readonly patterns: readonly ReadPattern[];
  readonly contenders: readonly Contender[];
  /** For how long one pattern that does not end by itself is read. */
  readonly seconds: number;
  /** For how long each contender works before the first pattern. */
  readonly warmupSeconds: number;
}

/** A contender in front of a server of its own, at the end of a link. */
interface Lane {
  readonly contender: Contender;
  readonly server: SlowServer;
  /** Where it takes clients. */
  readonly port: number;
  /** Undefined when nothing stands in between. */
  readonly group: ProcessGroup | undefined;
}

/** Measures all contenders with all patterns over one link. `say` is told what goes on. */
export async function measureLink(
  groups: ProcessGroups,
  { link, patterns, contenders, seconds, warmupSeconds }: LinkPlan,
  say: (text: string) => void,
): Promise<LinkRow[]> {
  const lanes: Lane[] = [];
  const rows: LinkRow[] = [];
  try {
    for (const contender of contenders) lanes.push(await startLane(groups, link, contender, patterns.length + 1));
    for (const lane of lanes) await measureLane(lane, WARMUP, patterns.length * AREA_BYTES, warmupSeconds * 1000);
    for (const [i, pattern] of patterns.entries()) {
      say(`${link.name}: ${pattern.name}`);
      const measure = (lane: Lane): Promise<LinkResult> => measureLane(lane, pattern, i * AREA_BYTES, seconds * 1000);
      const results: LinkResult[] = [];
      if (mostlyWaits(link, pattern)) results.push(...(await Promise.all(lanes.map(measure))));
      else for (const lane of lanes) results.push(await measure(lane));
      rows.push({ pattern: pattern.name, results });
    }
  } finally {
    for (const { group, server } of lanes) {
      await group?.end();
      await server.end();
    }
  }
  return rows;
}

/** Whether all contenders may read at the same time: it takes as long as the slowest, and what disturbs one disturbs all. */
function mostlyWaits(link: Link, { kind }: ReadPattern): boolean {
  return link.filters.includes("delay") && kind !== "forward";
}

async function startLane(groups: ProcessGroups, link: Link, contender: Contender, areas: number): Promise<Lane> {
  const server = await SlowServer.start(groups, link, areas * AREA_BYTES);
  if (contender.command === undefined) return { contender, server, port: server.port, group: undefined };
  try {
    return { contender, server, ...(await startProxy(groups, contender.command, server.port)) };
  } catch (error) {
    await server.end();
    throw error;
  }
}

async function measureLane(lane: Lane, pattern: ReadPattern, areaOffset: number, limitMs: number): Promise<LinkResult> {
  const { contender, server, port, group } = lane;
  try {
    const ends = pattern.kind === "boot";
    const { seconds, reads, bytes, slowestShare } = await replay(pattern, {
      port,
      areaOffset,
      limitMs: ends ? Infinity : limitMs,
    });
    const fetchedPerAsked = (await server.takeFetchedBytes()) / bytes;
    const figures = {
      readsPerSecond: reads / seconds,
      mibPerSecond: bytes / MIB / seconds,
      fetchedPerAsked,
      slowestShare,
    };
    return { contender: contender.name, figures, failure: null };
  } catch (error) {
    const said = group?.stderr.trim() ?? "";
    const failure = error instanceof Error ? error.message : String(error);
    return {
      contender: contender.name,
      figures: null,
      failure: said === "" ? failure : `${failure}; it said: ${said}`,
    };
  }
}
