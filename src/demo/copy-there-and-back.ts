import { createHash } from "node:crypto";
import { REQUEST_HEADER_BYTES } from "../protocol/constants.ts";
import { SlabPool } from "../transport/slab-pool.ts";
import { Slice } from "../transport/slice.ts";
import { fillDemoBlock } from "./demo-block.ts";
import type { DemoClient } from "./demo-client.ts";
import { BLOCK_BYTES, BURST_BLOCKS, type DemoPlan } from "./demo-plan.ts";
import type { DemoResult } from "./demo-result.ts";
import { Leg, type LegOptions } from "./leg.ts";
import { LostWrites } from "./lost-writes.ts";
import { OrderedChecksum } from "./ordered-checksum.ts";

/** What is copied, by whom, and which server suffers meanwhile. */
export interface CopyOptions extends Omit<LegOptions, "phase" | "kills" | "sizeBytes" | "inFlight" | "countLost"> {
  readonly plan: DemoPlan;
  readonly client: CopyClient;
  /** The server's file. */
  readonly diskPath: string;
}

/** The part of a DemoClient that copies. */
export type CopyClient = Pick<DemoClient, "read" | "write" | "flush" | "inFlight" | "longestWaitMs">;

/**
 * Writes, flushes, and reads everything back, with kills on both ways. It is flushed only at the end, so that each kill on
 * the way there can cost what the server has answered. Rejects when a byte is wrong or missing, or the client fails.
 */
export async function copyThereAndBack(options: CopyOptions): Promise<DemoResult> {
  const { plan, client, display, diskPath } = options;
  const { sizeBytes } = plan;
  const lostWrites = new LostWrites(diskPath);
  const common = { ...options, sizeBytes, inFlight: () => client.inFlight, countLost: () => lostWrites.count() };
  const writing = new Leg({ ...common, phase: "writing", kills: plan.writing });
  const writtenChecksum = await writeAll(writing, client, lostWrites);
  writing.conclude("flushing");
  await client.flush();
  await lostWrites.expectNone();
  writing.conclude("written and flushed, nothing missing");
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
    lostBytes: lostWrites.totalBytes,
    awayMs: writing.awayMs + reading.awayMs,
    longestWaitMs: client.longestWaitMs,
  };
}

/** Writes seeded data; resolves to its checksum. */
async function writeAll(leg: Leg, client: CopyClient, lostWrites: LostWrites): Promise<string> {
  const checksum = createHash("sha256");
  const slabBytes = REQUEST_HEADER_BYTES + BLOCK_BYTES;
  const pool = new SlabPool({ slabBytes, idleSlabs: BURST_BLOCKS });
  await leg.run(async (offset) => {
    const slab = pool.take();
    const payload = new Slice(slab, REQUEST_HEADER_BYTES, slabBytes, REQUEST_HEADER_BYTES);
    fillDemoBlock(payload.bytes(), offset);
    checksum.update(payload.bytes());
    await client.write(offset, payload).finally(() => slab.release());
    lostWrites.acknowledged(offset);
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
