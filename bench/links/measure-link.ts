import type { Contender } from "../contender.ts";
import type { ProcessGroups } from "../process-groups.ts";
import { rotated } from "../rotated.ts";
import { unlessItFails } from "../unless-it-fails.ts";
import type { Link } from "./link.ts";
import { LinkLane } from "./link-lane.ts";
import { linkResult } from "./link-result.ts";
import type { LinkFigures, LinkRow } from "./links-report.ts";
import type { ReadPattern } from "./read-pattern.ts";
import { AREA_BYTES, WARMUP } from "./read-pattern.ts";

/** Who is to read what, over which link. */
export interface LinkPlan {
  readonly link: Link;
  readonly patterns: readonly ReadPattern[];
  readonly contenders: readonly Contender[];
  /** How often each pattern is read by each contender, each time in an area that nobody has read before. */
  readonly rounds: number;
  /** For how long one pattern that does not end by itself is read. */
  readonly seconds: number;
  /** For how long each contender works before the first pattern. */
  readonly warmupSeconds: number;
}

/** What a lane has done so far with one pattern. */
interface Course {
  readonly lane: LinkLane;
  readonly rounds: LinkFigures[];
  failure: string | null;
}

/** Measures all contenders with all patterns over one link. `say` is told what goes on. */
export async function measureLink(
  groups: ProcessGroups,
  { link, patterns, contenders, rounds, seconds, warmupSeconds }: LinkPlan,
  say: (text: string) => void,
): Promise<LinkRow[]> {
  const lanes: LinkLane[] = [];
  const areas = patterns.length * rounds;
  try {
    for (const contender of contenders) {
      lanes.push(await LinkLane.start(groups, link, contender, (areas + 1) * AREA_BYTES));
    }
    for (const lane of lanes) await lane.measure(WARMUP, areas * AREA_BYTES, warmupSeconds * 1000);
    const all = patterns.map((pattern) => {
      return { pattern, courses: lanes.map((lane): Course => ({ lane, rounds: [], failure: null })) };
    });
    for (let round = 0; round < rounds; round += 1) {
      for (const [i, { pattern, courses }] of all.entries()) {
        say(`${link.name}, round ${round + 1} of ${rounds}: ${pattern.name}`);
        const areaOffset = (round * patterns.length + i) * AREA_BYTES;
        const measure = (course: Course): Promise<void> =>
          unlessItFails(course, async () => {
            course.rounds.push(await course.lane.measure(pattern, areaOffset, seconds * 1000));
          });
        if (mostlyWaits(link, pattern)) await Promise.all(courses.map(measure));
        else for (const course of rotated(courses, round)) await measure(course);
      }
    }
    return all.map(({ pattern, courses }) => ({
      pattern: pattern.name,
      results: courses.map((course) => linkResult(course.lane.contender.name, course.rounds, course.failure)),
    }));
  } finally {
    for (const lane of lanes) await lane.end();
  }
}

/** Whether all contenders may read at the same time: it takes as long as the slowest, and what disturbs one disturbs all. */
function mostlyWaits(link: Link, { kind }: ReadPattern): boolean {
  return link.filters.includes("delay") && kind !== "forward";
}
