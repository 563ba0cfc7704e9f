import assert from "node:assert";
import { SlabPool } from "../../src/transport/slab-pool.ts";
import { KnowledgeBase } from "./block-knowledge.ts";
import { Choices } from "./choices.ts";
import { History } from "./history.ts";
import { BLOCKS, MOST_OPERATIONS, OPERATION_KINDS } from "./operation-kinds.ts";
import { World, type WorldOptions } from "./world.ts";

/** Which histories are looked at. */
export interface SearchOptions {
  /** Operations of the client in each history; `MOST_OPERATIONS` at most. */
  readonly operations: number;
  readonly faults: number;
  readonly waits: number;
  readonly flow?: WorldOptions["flow"];
  /** Leaves out what others show as well; else only for a comparison. */
  readonly pruned?: boolean;
  /** This job's part of the work, of so many. */
  readonly job?: number;
  readonly jobs?: number;
  /** Stops at the first violation. */
  readonly first?: boolean;
}

/** A history that must not be. */
export interface Violation {
  readonly wrong: string;
  readonly workload: readonly number[];
  readonly choices: readonly number[];
}

/** What a search saw. */
export interface SearchReport {
  /** Whole runs of the proxy: each stands for all that the server may have done meanwhile. */
  histories: number;
  /** Runs given up because others show as much. */
  pruned: number;
  steps: number;
  /** Different things that were known of a block. */
  known: number;
  violations: number;
  firstViolation: Violation | undefined;
}

/** Slabs for a payload of two blocks. */
export const POOL = { slabBytes: 16, idleSlabs: 64, poison: true };

/** So much may be known of a block, about 1 KiB each, before all of it is forgotten. */
const KNOWN = 100_000;

/** Runs all histories within the bounds, each through a new RequestFlow from its first step on. */
export function search(options: SearchOptions): SearchReport {
  const { operations, job = 0, jobs = 1, first = false } = options;
  assert(operations <= MOST_OPERATIONS, "more operations than can be told apart");
  const report: SearchReport = {
    histories: 0,
    pruned: 0,
    steps: 0,
    known: 0,
    violations: 0,
    firstViolation: undefined,
  };
  const count = OPERATION_KINDS.length ** operations;
  let bases: readonly KnowledgeBase[] = [];
  for (let number = job; number < count; number += jobs) {
    if (bases.length === 0 || bases.some(({ size }) => size > KNOWN)) {
      report.known += sizeOf(bases);
      bases = Array.from({ length: BLOCKS }, (_, block) => new KnowledgeBase(block));
    }
    searchWorkload(workload(number, operations), bases, options, report);
    if (first && report.firstViolation !== undefined) break;
  }
  report.known += sizeOf(bases);
  return report;
}

function searchWorkload(
  asked: readonly number[],
  bases: readonly KnowledgeBase[],
  { flow = {}, pruned = true, first = false, faults, waits }: SearchOptions,
  report: SearchReport,
): void {
  const choices = new Choices();
  const pool = new SlabPool(POOL);
  do {
    const world = new World({ bases, pool, flow });
    let whole = true;
    try {
      whole = new History(world, { workload: asked, faults, waits }, pruned).run(choices);
    } catch (error) {
      world.failed(error);
    }
    report.steps += choices.depth;
    if (whole) report.histories += 1;
    else report.pruned += 1;
    if (world.wrong !== undefined) {
      report.violations += 1;
      report.firstViolation ??= { wrong: world.wrong, workload: asked, choices: choices.taken };
      if (first) return;
    }
  } while (choices.advance());
}

function workload(number: number, operations: number): readonly number[] {
  const kinds = OPERATION_KINDS.length;
  return Array.from(
    { length: operations },
    (_, place) => Math.floor(number / kinds ** (operations - 1 - place)) % kinds,
  );
}

function sizeOf(bases: readonly KnowledgeBase[]): number {
  return bases.reduce((sum, { size }) => sum + size, 0);
}
