import { describe, expect, it } from "vitest";

import { serveConfig } from "../../../src/config/serve-config.ts";
import type { ServeSettings } from "../../../src/config/serve-config.ts";

const nothing: ServeSettings = {
  addr: undefined,
  port: undefined,
  socketMode: undefined,
  file: undefined,
  memory: undefined,
  export: undefined,
  writeCache: undefined,
};
const file = { value: "disk.img", text: "disk.img", label: "--file", origin: "command line" } as const;
const memory = { value: 4096, text: "4K", label: "--memory", origin: "command line" } as const;

describe("serveConfig", () => {
  it("serves memory on this machine when nothing is asked for", () => {
    expect(serveConfig(nothing, "info")).toEqual({
      listen: { kind: "tcp", host: "127.0.0.1", port: 10_809 },
      socketMode: 0o600,
      disk: { kind: "memory", sizeBytes: 1024 ** 3 },
      exportName: "",
      writeCache: false,
      logLevel: "info",
    });
  });

  it("serves the file or the memory that is asked for", () => {
    expect(serveConfig({ ...nothing, file }, "info").disk).toEqual({ kind: "file", path: "disk.img" });
    expect(serveConfig({ ...nothing, memory }, "info").disk).toEqual({ kind: "memory", sizeBytes: 4096 });
  });

  it("keeps writes in memory when asked to, whatever it serves", () => {
    const writeCache = { value: true, text: "--write-cache", label: "--write-cache", origin: "command line" } as const;
    expect(serveConfig({ ...nothing, writeCache }, "info").writeCache).toBe(true);
    expect(serveConfig({ ...nothing, file, writeCache }, "info")).toMatchObject({
      disk: { kind: "file" },
      writeCache: true,
    });
  });

  it("takes another port on this machine, another address on the port of NBD, or a UNIX socket", () => {
    const port = { value: 0, text: "0", label: "--port", origin: "command line" } as const;
    expect(serveConfig({ ...nothing, port }, "info").listen).toEqual({ kind: "tcp", host: "127.0.0.1", port: 0 });
    const given = { text: "x", label: "--addr", origin: "command line" } as const;
    const anywhere = { ...given, value: { kind: "host", host: "::" } } as const;
    expect(serveConfig({ ...nothing, addr: anywhere }, "info").listen).toMatchObject({ host: "::", port: 10_809 });
    const path = { ...given, value: { kind: "unix", path: "/a" } } as const;
    expect(serveConfig({ ...nothing, addr: path }, "info").listen).toEqual({ kind: "unix", path: "/a" });
    expect(() => serveConfig({ ...nothing, addr: path, port }, "info")).toThrow(
      expect.objectContaining({ option: "--port" }),
    );
  });

  it("refuses to serve two things at once", () => {
    expect(() => serveConfig({ ...nothing, file, memory }, "info")).toThrow(/--memory: "4K" and --file/);
  });

  it("serves what the command line says rather than what the environment says", () => {
    const inherited = { origin: "environment" } as const;
    const typedMemory = serveConfig({ ...nothing, file: { ...file, ...inherited }, memory }, "info");
    expect(typedMemory.disk.kind).toBe("memory");
    const typedFile = serveConfig({ ...nothing, file, memory: { ...memory, ...inherited } }, "info");
    expect(typedFile.disk.kind).toBe("file");
  });

  it("is frozen", () => {
    const config = serveConfig(nothing, "info");
    for (const part of [config, config.listen, config.disk]) expect(Object.isFrozen(part)).toBe(true);
  });
});
