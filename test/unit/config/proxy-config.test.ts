import { describe, expect, it } from "vitest";

import type { Address } from "../../../src/config/address.ts";
import { proxyConfig } from "../../../src/config/proxy-config.ts";
import type { ProxySettings } from "../../../src/config/proxy-config.ts";
import type { Setting } from "../../../src/config/setting.ts";

const typed = <T>(label: string, value: T): Setting<T> => ({
  value,
  text: String(value),
  label,
  origin: "command line",
});
const inherited = <T>(label: string, value: T): Setting<T> => ({ ...typed(label, value), origin: "environment" });
const host = (text: string): Address => ({ kind: "host", host: text });
const path = (text: string): Address => ({ kind: "unix", path: text });

const nothing: ProxySettings = {
  addr: undefined,
  port: undefined,
  socketMode: undefined,
  connAddr: undefined,
  connPort: undefined,
  upstream: undefined,
  export: undefined,
  bind: undefined,
  holdTimeout: undefined,
  reconnectIntervalMax: undefined,
};

const listening = { ...nothing, addr: typed("--addr", path("/run/disk.sock")) };
const tcp = {
  ...nothing,
  addr: typed("--addr", host("127.0.0.1")),
  port: typed("--port", 10_810),
  connAddr: typed("--conn-addr", host("192.0.2.7")),
  connPort: typed("--conn-port", 10_809),
};
const uri = (exportName: string) =>
  ({ endpoint: { kind: "tcp", host: "uri.example", port: 10_809 }, exportName }) as const;

const check = (settings: ProxySettings) => proxyConfig(settings, "warning");

describe("proxyConfig", () => {
  it("fills in what is absent", () => {
    expect(check(tcp)).toEqual({
      listen: { kind: "tcp", host: "127.0.0.1", port: 10_810 },
      socketMode: 0o600,
      upstream: {
        endpoint: { kind: "tcp", host: "192.0.2.7", port: 10_809 },
        exportName: "",
        bindAddress: undefined,
      },
      holdTimeoutMs: undefined,
      reconnectIntervalMaxMs: 5000,
      logLevel: "warning",
    });
  });

  it("takes over what is given", () => {
    const config = check({
      ...listening,
      socketMode: typed("--socket-mode", 0o660),
      connAddr: typed("--conn-addr", path("/run/server.sock")),
      export: typed("--export", "disk"),
      holdTimeout: typed("--hold-timeout", 0),
      reconnectIntervalMax: typed("--reconnect-interval-max", 700),
    });
    expect(config).toMatchObject({
      listen: { kind: "unix", path: "/run/disk.sock" },
      socketMode: 0o660,
      upstream: { endpoint: { kind: "unix", path: "/run/server.sock" }, exportName: "disk" },
      holdTimeoutMs: 0,
      reconnectIntervalMaxMs: 700,
    });
  });

  it("is frozen to the bottom", () => {
    const config = check(tcp);
    for (const part of [config, config.listen, config.upstream, config.upstream.endpoint]) {
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
    ["--conn-addr", { ...tcp, upstream: typed("--upstream", uri("")) }],
    ["--conn-port", { ...tcp, connAddr: undefined, upstream: typed("--upstream", uri("")) }],
    ["--export", { ...listening, upstream: typed("--upstream", uri("disk")), export: typed("--export", "disk") }],
  ])("refuses %s where it contradicts another option", (option, settings) => {
    expect(() => check(settings)).toThrow(expect.objectContaining({ name: "UsageError", option }));
  });

  it("takes a local address of the server's family, or of any when the server has a name", () => {
    expect(check({ ...tcp, bind: typed("--bind", "192.0.2.1") }).upstream.bindAddress).toBe("192.0.2.1");
    const named = { ...tcp, connAddr: typed("--conn-addr", host("storage.example")), bind: typed("--bind", "::1") };
    expect(check(named).upstream.bindAddress).toBe("::1");
  });
});

describe("proxyConfig, with --upstream", () => {
  it("takes server and export from the URI", () => {
    const { upstream } = check({ ...listening, upstream: typed("--upstream", uri("disk")) });
    expect(upstream).toEqual({ ...uri("disk"), bindAddress: undefined });
  });

  it("takes the export from --export when the URI names none", () => {
    const settings = {
      ...listening,
      upstream: typed("--upstream", uri("")),
      export: inherited("FLEXNBD_EXPORT", "disk"),
    };
    expect(check(settings).upstream.exportName).toBe("disk");
  });
});

describe("proxyConfig, when command line and environment contradict each other", () => {
  it("listens on the UNIX socket of the command line, whatever port the environment has", () => {
    const settings = { ...tcp, addr: typed("--addr", path("/a")), port: inherited("FLEXNBD_PORT", 1) };
    expect(check(settings).listen).toEqual({ kind: "unix", path: "/a" });
  });

  it("ignores an inherited socket mode on a TCP port", () => {
    expect(check({ ...tcp, socketMode: inherited("FLEXNBD_SOCKET_MODE", 0o660) }).socketMode).toBe(0o600);
  });

  it("takes the server from --upstream rather than from inherited single options", () => {
    const settings = {
      ...listening,
      upstream: typed("--upstream", uri("disk")),
      connAddr: inherited("FLEXNBD_CONN_ADDR", host("old.example")),
      connPort: inherited("FLEXNBD_CONN_PORT", 1),
      export: inherited("FLEXNBD_EXPORT", "old"),
    };
    expect(check(settings).upstream).toMatchObject(uri("disk"));
  });

  it("takes the server from --conn-addr rather than from an inherited URI", () => {
    const settings = { ...tcp, upstream: inherited("FLEXNBD_UPSTREAM", uri("old")) };
    expect(check(settings).upstream).toMatchObject({ endpoint: { host: "192.0.2.7" }, exportName: "" });
  });

  it("connects to the UNIX socket of the command line, whatever server port the environment has", () => {
    const settings = {
      ...listening,
      connAddr: typed("--conn-addr", path("/b")),
      connPort: inherited("FLEXNBD_CONN_PORT", 1),
    };
    expect(check(settings).upstream.endpoint).toEqual({ kind: "unix", path: "/b" });
  });
});
