import fc from "fast-check";
import { expect, it } from "vitest";

import { PROXY_DEFAULTS } from "../../../src/config/proxy-config.ts";
import { MemoryDisk } from "../../../src/disks/memory-disk.ts";
import { Listener } from "../../../src/downstream/listener.ts";
import { COMMAND } from "../../../src/protocol/constants.ts";
import { Proxy } from "../../../src/proxy/proxy.ts";
import { SingleExport } from "../../../src/proxy/single-export.ts";
import { exportMemory } from "../../../src/proxy/surroundings.ts";
import { fakeSurroundings } from "../support/fake-surroundings.ts";
import type { FakeStream } from "../support/fake-stream.ts";
import { settle } from "../support/settle.ts";
import { type PairOptions, streamPair } from "../support/stream-pair.ts";
import { TestClient } from "../support/test-client.ts";

// A real proxy between a client and a real server, over connections in memory that deliver as little as they like and
// break when the test says so. What the client reads must be what a plain buffer holds.

const SIZE = 64 * 1024;
const SERVER = { kind: "tcp", host: "store", port: 10809 } as const;
const HERE = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;

/** A proxy, one client of it, and the server behind it. */
async function setUp(pair: PairOptions) {
  const far = fakeSurroundings();
  const server = new Listener({
    ...far,
    ...exportMemory(),
    greetingStyle: "newstyle",
    admits: () => true,
    exports: new SingleExport("", new MemoryDisk({ sizeBytes: SIZE })),
    endpoint: SERVER,
    socketMode: 0o600,
    maxClients: 4,
  });
  await server.open();
  const near = fakeSurroundings();
  let link: FakeStream | undefined;
  near.network.onDial = (dial) => {
    const [proxySide, serverSide] = streamPair(pair);
    link = serverSide;
    far.network.client("proxy", serverSide);
    dial.connect(proxySide);
  };
  const proxy = new Proxy(
    {
      listen: HERE,
      socketMode: 0o600,
      ...PROXY_DEFAULTS,
      upstreams: [{ endpoint: SERVER, exportName: "", bindAddress: undefined }],
    },
    near,
  );
  await proxy.start();
  const client = await new TestClient(near.network.client()).join();
  const breakLink = (): void => {
    link?.destroy();
    link = undefined;
  };
  return { near, far, proxy, client, breakLink };
}

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ offset: fc.nat(SIZE - 5000), length: fc.nat(5000), fill: fc.nat(255) }) },
    { weight: 4, arbitrary: fc.record({ offset: fc.nat(SIZE - 5000), length: fc.nat(5000) }) },
    { weight: 1, arbitrary: fc.constant("break" as const) },
  ),
  { maxLength: 20 },
);
const pairs = fc.record({
  readBytes: fc.constantFrom(1, 7, 100, 100_000),
  capacityBytes: fc.constantFrom(50, 1000, 100_000),
});

it("gives every client the bytes that it wrote, over any connection, through any outages", async () => {
  await fc.assert(
    fc.asyncProperty(steps, pairs, async (made, pair) => {
      const { near, far, proxy, client, breakLink } = await setUp(pair);
      const model = Buffer.alloc(SIZE);
      const expected: Buffer[] = [];
      for (const step of made) {
        if (step === "break") {
          breakLink();
          continue;
        }
        // Like a client that cares for order: it waits for its answers before it goes on.
        const { offset, length } = step;
        if ("fill" in step) {
          model.fill(step.fill, offset, offset + length);
          client.write(offset, Buffer.alloc(length, step.fill));
          expected.push(Buffer.alloc(0));
        } else {
          client.read(offset, length);
          expected.push(Buffer.from(model.subarray(offset, offset + length)));
        }
        for (let turn = 0; turn < 100 && client.replies.length < expected.length; turn += 1) {
          await settle();
          near.clock.advance(100);
          far.clock.advance(100);
        }
        expect(client.replies).toHaveLength(expected.length);
      }
      expect(client.replies.map(({ error }) => error)).toEqual(expected.map(() => 0));
      expect(client.replies.every(({ data }, index) => data.equals(expected[index] ?? Buffer.alloc(1)))).toBe(true);
      client.ask({ command: COMMAND.DISC });
      await settle();
      client.stream.sayEnd();
      const stopped = proxy.stop();
      for (let turn = 0; turn < 20; turn += 1) {
        await settle();
        near.clock.advance(100);
      }
      await stopped;
      expect(near.clock.pending).toBe(0);
    }),
    { numRuns: 40 },
  );
}, 60_000);
