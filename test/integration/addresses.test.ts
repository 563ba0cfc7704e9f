import { networkInterfaces } from "node:os";
import { describe, expect, it } from "vitest";

import type { Endpoint } from "../../src/ports/network.ts";
import { newEndpoint, proxyTo } from "./support/chain.ts";
import { FakeServer } from "./support/fake-server.ts";
import { freeEndpoint } from "./support/free-port.ts";
import { PlainClient } from "./support/plain-client.ts";
import { listenArgs, serverArgs, startProgram, startProxy } from "./support/proxy-process.ts";

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === "::1"),
);
if (!hasIpv6) process.stderr.write("\n*** SKIPPED what needs IPv6: there is no ::1 ***\n\n");

async function portOf(host: string): Promise<Endpoint & { kind: "tcp" }> {
  const endpoint = await freeEndpoint();
  if (endpoint.kind !== "tcp") throw new Error("asked for a port");
  return { ...endpoint, host };
}

describe("the proxy", () => {
  it("connects from the address of --bind, again after an outage", async () => {
    const there = await portOf("127.0.0.1");
    const server = await FakeServer.start(there);
    const proxy = await proxyTo(server, { args: ["--bind", "127.0.0.2"] });
    const client = await PlainClient.connect(proxy.endpoint);
    await client.read(0, 512);
    await server.stop();
    const successor = await FakeServer.start(there);
    await client.read(0, 512);
    expect([...server.peers, ...successor.peers]).toEqual(["127.0.0.2", "127.0.0.2"]);
  });

  it("finds a server by its name, again after an outage", async () => {
    const there = await portOf("127.0.0.1");
    const server = await FakeServer.start(there);
    const proxy = await proxyTo({ endpoint: { ...there, host: "localhost" } });
    const client = await PlainClient.connect(proxy.endpoint);
    await client.read(0, 512);
    await server.stop();
    await FakeServer.start(there);
    await client.read(0, 512);
    expect(proxy.process.stderr).toContain(`server localhost:${there.port}: connection lost`);
  });

  it.skipIf(!hasIpv6)("speaks IPv6 on both sides", async () => {
    const server = await FakeServer.start(await portOf("::1"));
    const here = await portOf("::1");
    const proxy = await startProxy(here, [...listenArgs(here), ...serverArgs(server.endpoint), "--verbose"]);
    await (await PlainClient.connect(here)).read(0, 512);
    expect(server.peers).toEqual(["::1"]);
    expect(proxy.stderr).toContain(`listening on [::1]:${here.port}`);
  });

  it("listens on a port of the system's choice, and says which", async () => {
    const server = await FakeServer.start(await newEndpoint("unix"));
    const here: Endpoint = { kind: "tcp", host: "127.0.0.1", port: 0 };
    const proxy = startProgram([...listenArgs(here), ...serverArgs(server.endpoint), "--verbose"]);
    const [, port] = await proxy.untilStderr(/listening on 127\.0\.0\.1:(\d+)/);
    await (await PlainClient.connect({ ...here, port: Number(port) })).read(0, 512);
  });
});
