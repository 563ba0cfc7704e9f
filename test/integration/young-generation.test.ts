import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";

import { LIMITS } from "../../src/limits.ts";
import { newEndpoint, proxyTo } from "./support/chain.ts";
import { FakeServer } from "./support/fake-server.ts";
import { PlainClient } from "./support/plain-client.ts";

/** Since this version of V8 the young generation takes far more by itself, and Node.js can start a program anew. */
const takesMuch = Number.parseInt(process.versions.v8, 10) >= 13;

describe("the young generation of the proxy's heap", () => {
  it("is limited, under the same process id, where V8 would let it grow", async () => {
    const server = await FakeServer.start(await newEndpoint("unix"));
    const proxy = await proxyTo(server);
    await (await PlainClient.connect(proxy.endpoint)).read(0, 512);
    const commandLine = await readFile(`/proc/${proxy.process.pid}/cmdline`, "utf8");
    expect(commandLine.split("\0").includes(`--max-semi-space-size=${LIMITS.youngHalfMiB}`)).toBe(takesMuch);
    expect(await proxy.process.stop()).toEqual({ status: 0, signal: null });
    expect(proxy.process.stderr).toBe("");
  });
});
