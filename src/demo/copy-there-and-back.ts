import { createHash } from "node:crypto";
import { REQUEST_HEADER_BYTES } from "../protocol/constants.ts";
import { SlabPool } from "../transport/slab-pool.ts";
import { Slice } from "../transport/slice.ts";
import type { DemoClient } from "./demo-client.ts";
import { BLOCK_BYTES, BURST_BLOCKS, type DemoPlan } from "./demo-plan.ts";
import type { DemoResult } from "./demo-result.ts";
import { fillSeeded } from "./fill-seeded.ts";
import { Leg, type LegOptions } from "./leg.ts";
import { OrderedChecksum } from "./ordered-checksum.ts";

/** What is copied, by whom, and which server suffers meanwhile. */
export interface CopyOptions extends Omit<LegOptions, "phase" | "kills" | "sizeBytes" | "inFlight"> {
  readonly plan: DemoPlan;
  readonly client: CopyClient;
}

/** The part of a DemoClient that copies. */
export type CopyClient = Pick<DemoClient, "read" | "write" | "flush" | "inFlight" | "longestWaitMs">;

const SEED = 0x4e42_444d;

/** Writes, flushes, and reads everything back, with kills on both ways. Rejects when a byte is wrong or the client fails. */
export async function copyThereAndBack(options: CopyOptions): Promise<DemoResult> {
  const { plan, client, display } = options;
  const { sizeBytes } = plan;
  const common = { ...options, sizeBytes, inFlight: () => client.inFlight };
  const writing = new Leg({ ...common, phase: "writing", kills: plan.writing });
  const writtenChecksum = await writeAll(writing, client);
  writing.conclude("flushing");
  await client.flush();
  writing.conclude("written and flushed");
  display.close();

  const reading = new Leg({ ...common, phase: "reading", kills: plan.reading });
  const readChecksum = await readAll(reading, client);
  reading.conclude("read back");
  if (readChecksum !== writtenChecksum) {
    throw new Error(`the data is not the same: sha256 ${writtenChecksum} was written, ${readChecksum} came back`);
  }
  return {
    sizeBytes,
    writtenChecksum,
    readChecksum,
    kills: writing.kills + reading.kills,
    awayMs: writing.awayMs + reading.awayMs,
    longestWaitMs: client.longestWaitMs,
  };
}

/** Writes seeded data; resolves to its checksum. */
async function writeAll(leg: Leg, client: CopyClient): Promise<string> {
  const checksum = createHash("sha256");
  const slabBytes = REQUEST_HEADER_BYTES + BLOCK_BYTES;
  const pool = new SlabPool({ slabBytes, idleSlabs: BURST_BLOCKS });
  await leg.run(async (offset) => {
    const slab = pool.take();
    const payload = new Slice(slab, REQUEST_HEADER_BYTES, slabBytes, REQUEST_HEADER_BYTES);
    fillSeeded(payload.bytes(), SEED, offset / BLOCK_BYTES);
    checksum.update(payload.bytes());
    await client.write(offset, payload).finally(() => slab.release());
  });
  return checksum.digest("hex");
}

/** Reads everything; resolves to its checksum. */
async function readAll(leg: Leg, client: CopyClient): Promise<string> {
  const checksum = new OrderedChecksum();
  await leg.run(async (offset) => {
    checksum.add(offset, await client.read(offset, BLOCK_BYTES));
  });
  return checksum.digest();
}
