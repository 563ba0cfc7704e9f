import { describe, expect, it } from "vitest";

import type { Address } from "../../../src/config/address.ts";
import { proxyConfig } from "../../../src/config/proxy-config.ts";
import type { ProxySettings } from "../../../src/config/proxy-config.ts";
import type { UpstreamUri } from "../../../src/config/upstream-uri.ts";
import { inherited, typed } from "./settings.ts";

const host = (text: string): Address => ({ kind: "host", host: text });
const path = (text: string): Address => ({ kind: "unix", path: text });

const nothing: ProxySettings = {
  addr: undefined,
  port: undefined,
  socketMode: undefined,
  connAddr: undefined,
  connPort: undefined,
  upstream: [],
  export: undefined,
  bind: undefined,
  handshake: undefined,
  maxClients: undefined,
  allow: [],
  cache: undefined,
  upstreamTimeout: undefined,
  idlePing: undefined,
  holdTimeout: undefined,
  reconnectIntervalMax: undefined,
  unflushed: undefined,
  unflushedLimit: undefined,
  linger: undefined,
  pin: undefined,
  fence: undefined,
  shared: undefined,
};

const listening = { ...nothing, addr: typed("--addr", path("/run/disk.sock")) };
const tcp = {
  ...nothing,
  addr: typed("--addr", host("127.0.0.1")),
  port: typed("--port", 10_810),
  connAddr: typed("--conn-addr", host("192.0.2.7")),
  connPort: typed("--conn-port", 10_809),
};
const uri = (exportName: string, server = "uri.example") =>
  ({ endpoint: { kind: "tcp", host: server, port: 10_809 }, exportName }) as const;
const socketUri = (exportName: string) =>
  ({ endpoint: { kind: "unix", path: "/run/server.sock" }, exportName }) as const;
const range = () => ({ address: "192.0.2.0", prefixBits: 24 });

const check = (settings: ProxySettings) => proxyConfig(settings, "warning");

describe("proxyConfig", () => {
  it("fills in what is absent", () => {
    expect(check(tcp)).toEqual({
      listen: { kind: "tcp", host: "127.0.0.1", port: 10_810 },
      socketMode: 0o600,
      upstreams: [
        {
          endpoint: { kind: "tcp", host: "192.0.2.7", port: 10_809 },
          exportName: "",
          bindAddress: undefined,
        },
      ],
      greetingStyle: "auto",
      maxClients: 1,
      allow: [],
      cacheBytes: 0,
      upstreamTimeoutMs: 30_000,
      idlePingMs: undefined,
      holdTimeoutMs: undefined,
      reconnectIntervalMaxMs: 5000,
      unflushed: "log",
      unflushedLimitBytes: 128 * 1024 ** 2,
      lingerMs: 60_000,
      pinMs: 60_000,
      fence: "none",
      shared: false,
      logLevel: "warning",
    });
  });

  it("takes over what is given", () => {
    const config = check({
      ...listening,
      socketMode: typed("--socket-mode", 0o660),
      connAddr: typed("--conn-addr", path("/run/server.sock")),
      export: typed("--export", "disk"),
      handshake: typed("--handshake", "newstyle" as const),
      maxClients: typed("--max-clients", 4),
      cache: typed("--cache", 8192),
      upstreamTimeout: typed("--upstream-timeout", 4000),
      idlePing: typed("--idle-ping", 60_000),
      holdTimeout: typed("--hold-timeout", 0),
      reconnectIntervalMax: typed("--reconnect-interval-max", 700),
      unflushed: typed("--unflushed", "fua" as const),
      unflushedLimit: typed("--unflushed-limit", 2 ** 30),
      linger: typed("--linger", 5000),
      pin: typed("--pin", 7000),
      fence: typed("--fence", "strict" as const),
    });
    expect(config).toMatchObject({
      listen: { kind: "unix", path: "/run/disk.sock" },
      socketMode: 0o660,
      upstreams: [{ endpoint: { kind: "unix", path: "/run/server.sock" }, exportName: "disk" }],
      greetingStyle: "newstyle",
      maxClients: 4,
      cacheBytes: 8192,
      upstreamTimeoutMs: 4000,
      idlePingMs: 60_000,
      holdTimeoutMs: 0,
      reconnectIntervalMaxMs: 700,
      unflushed: "fua",
      unflushedLimitBytes: 2 ** 30,
      lingerMs: 5000,
      pinMs: 7000,
      fence: "strict",
      shared: false,
    });
  });

  it("is frozen to the bottom", () => {
    const config = check({ ...tcp, allow: [typed("--allow", range())] });
    const [server] = config.upstreams;
    const parts = [config, config.listen, config.upstreams, server, server.endpoint, config.allow, config.allow[0]];
    for (const part of parts) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it.each([
    ["--addr", { ...tcp, addr: undefined }],
    ["--port", { ...tcp, port: undefined }],
    ["--conn-addr", { ...tcp, connAddr: undefined }],
    ["--conn-addr", { ...tcp, connAddr: undefined, connPort: undefined }],
    ["--conn-port", { ...tcp, connPort: undefined }],
  ])("needs %s", (option, settings) => {
    expect(() => check(settings)).toThrow(expect.objectContaining({ name: "UsageError", option }));
  });

  it.each<[string, ProxySettings]>([
    ["--port", { ...tcp, addr: typed("--addr", path("/a")) }],
    ["FLEXNBD_PORT", { ...tcp, addr: inherited("FLEXNBD_ADDR", path("/a")), port: inherited("FLEXNBD_PORT", 1) }],
    ["--socket-mode", { ...tcp, socketMode: typed("--socket-mode", 0o660) }],
    ["--conn-port", { ...tcp, connAddr: typed("--conn-addr", path("/a")) }],
    ["--bind", { ...listening, connAddr: typed("--conn-addr", path("/a")), bind: typed("--bind", "192.0.2.1") }],
    ["--bind", { ...tcp, bind: typed("--bind", "::1") }],
    ["--conn-addr", { ...tcp, upstream: [typed("--upstream", uri(""))] }],
    ["--conn-port", { ...tcp, connAddr: undefined, upstream: [typed("--upstream", uri(""))] }],
    ["--allow", { ...tcp, addr: typed("--addr", path("/a")), port: undefined, allow: [typed("--allow", range())] }],
    [
      "FLEXNBD_ALLOW",
      { ...tcp, addr: inherited("A", path("/a")), port: undefined, allow: [inherited("FLEXNBD_ALLOW", range())] },
    ],
    ["--unflushed", { ...tcp, shared: typed("--shared", true), unflushed: typed("--unflushed", "log") }],
    ["--pin", { ...tcp, shared: typed("--shared", true), pin: typed("--pin", 5000) }],
    ["--export", { ...listening, upstream: [typed("--upstream", uri("disk"))], export: typed("--export", "disk") }],
  ])("refuses %s where it contradicts another option", (option, settings) => {
    expect(() => check(settings)).toThrow(expect.objectContaining({ name: "UsageError", option }));
  });

  it("takes a local address of the server's family, or of any when the server has a name", () => {
    expect(check({ ...tcp, bind: typed("--bind", "192.0.2.1") }).upstreams[0].bindAddress).toBe("192.0.2.1");
    const named = { ...tcp, connAddr: typed("--conn-addr", host("storage.example")), bind: typed("--bind", "::1") };
    expect(check(named).upstreams[0].bindAddress).toBe("::1");
  });
});

describe("proxyConfig, with --upstream", () => {
  it("takes server and export from the URI", () => {
    const { upstreams } = check({ ...listening, upstream: [typed("--upstream", uri("disk"))] });
    expect(upstreams).toEqual([{ ...uri("disk"), bindAddress: undefined }]);
  });

  it("takes the export from --export when the URI names none", () => {
    const settings = {
      ...listening,
      upstream: [typed("--upstream", uri(""))],
      export: inherited("FLEXNBD_EXPORT", "disk"),
    };
    expect(check(settings).upstreams[0].exportName).toBe("disk");
  });

  it("takes several of them, each with its export, in their order", () => {
    const upstream = [uri("a", "one.example"), socketUri("b")].map((value) => typed("--upstream", value));
    expect(check({ ...listening, upstream }).upstreams).toEqual([
      { ...uri("a", "one.example"), bindAddress: undefined },
      { ...socketUri("b"), bindAddress: undefined },
    ]);
  });

  it("gives the name from --export to those that have none, and refuses it when all have one", () => {
    const named = (...names: string[]) =>
      check({
        ...listening,
        export: typed("--export", "disk"),
        upstream: names.map((name) => typed("--upstream", uri(name))),
      }).upstreams.map(({ exportName }) => exportName);
    expect(named("a", "", "")).toEqual(["a", "disk", "disk"]);
    expect(() => named("a", "b")).toThrow(expect.objectContaining({ option: "--export" }));
  });

  it("connects from --bind to TCP servers, and refuses it when one of them is of the other family", () => {
    const bound = (...values: UpstreamUri[]) =>
      check({
        ...listening,
        bind: typed("--bind", "192.0.2.1"),
        upstream: values.map((value) => typed("--upstream", value)),
      }).upstreams.map(({ bindAddress }) => bindAddress);
    expect(bound(uri("", "192.0.2.7"), socketUri(""), uri(""))).toEqual(["192.0.2.1", undefined, "192.0.2.1"]);
    expect(() => bound(uri("", "192.0.2.7"), uri("", "::1"))).toThrow(/--bind: "192.0.2.1" cannot reach ::1/);
    expect(() => bound(socketUri(""), socketUri(""))).toThrow(/--bind: .*UNIX socket/);
  });
});

describe("proxyConfig, when command line and environment contradict each other", () => {
  it("listens on the UNIX socket of the command line, whatever port the environment has", () => {
    const settings = { ...tcp, addr: typed("--addr", path("/a")), port: inherited("FLEXNBD_PORT", 1) };
    expect(check(settings).listen).toEqual({ kind: "unix", path: "/a" });
  });

  it("lets in whom the permissions of the command line's UNIX socket let in, whatever addresses the environment has", () => {
    const settings = { ...listening, connAddr: typed("--conn-addr", path("/b")) };
    expect(check({ ...settings, allow: [inherited("FLEXNBD_ALLOW", range())] }).allow).toEqual([]);
  });

  it("ignores an inherited socket mode on a TCP port", () => {
    expect(check({ ...tcp, socketMode: inherited("FLEXNBD_SOCKET_MODE", 0o660) }).socketMode).toBe(0o600);
  });

  it("takes the server from --upstream rather than from inherited single options", () => {
    const settings = {
      ...listening,
      upstream: [typed("--upstream", uri("disk"))],
      connAddr: inherited("FLEXNBD_CONN_ADDR", host("old.example")),
      connPort: inherited("FLEXNBD_CONN_PORT", 1),
      export: inherited("FLEXNBD_EXPORT", "old"),
    };
    expect(check(settings).upstreams[0]).toMatchObject(uri("disk"));
  });

  it("takes the server from --conn-addr rather than from an inherited URI", () => {
    const settings = { ...tcp, upstream: [inherited("FLEXNBD_UPSTREAM", uri("old"))] };
    expect(check(settings).upstreams[0]).toMatchObject({ endpoint: { host: "192.0.2.7" }, exportName: "" });
  });

  it("connects to the UNIX socket of the command line, whatever server port the environment has", () => {
    const settings = {
      ...listening,
      connAddr: typed("--conn-addr", path("/b")),
      connPort: inherited("FLEXNBD_CONN_PORT", 1),
    };
    expect(check(settings).upstreams[0].endpoint).toEqual({ kind: "unix", path: "/b" });
  });
});
