import { DemoClient } from "../src/demo/demo-client.ts";
import { LIMITS } from "../src/limits.ts";
import { realSurroundings } from "../src/proxy/real-surroundings.ts";
import { SlabPool } from "../src/transport/slab-pool.ts";

/** Connects a client to the default export on a port of 127.0.0.1. Unlike fio it can wait, and stay when there is no work. */
export function connectedClient(port: number): Promise<DemoClient> {
  return DemoClient.connect({
    ...realSurroundings("fatal"),
    paths: [{ endpoint: { kind: "tcp", host: "127.0.0.1", port }, bindAddress: undefined, exportName: "" }],
    pool: new SlabPool({ slabBytes: LIMITS.slabBytes, idleSlabs: LIMITS.idleSlabs }),
  });
}
