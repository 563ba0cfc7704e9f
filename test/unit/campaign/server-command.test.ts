import { describe, expect, it } from "vitest";

import { proxyArguments } from "../../../campaign/proxy-process.ts";
import { SERVER_NAMES } from "../../../campaign/server-name.ts";
import { exportNameOf, serverCommand } from "../../../campaign/server-command.ts";

const SETTINGS = {
  port: 4711,
  imagePath: "/m/disk",
  noSpacePath: "/f/no-space",
  configPath: "/f/conf",
  pidPath: "/f/pid",
};

describe("serverCommand", () => {
  it.each(SERVER_NAMES)("has %s serve the image on the port", (server) => {
    const { program, args, config } = serverCommand(server, SETTINGS);
    const words = [program, ...args, config ?? ""].join(" ");
    expect(words).toContain("4711");
    expect(words).toContain("/m/disk");
  });

  it("puts the error filter behind the cache, so that it is the flush that fails", () => {
    const { args } = serverCommand("nbdkit-cache", SETTINGS);
    expect(args.filter((arg) => arg.startsWith("--filter"))).toEqual(["--filter=cache", "--filter=error"]);
    expect(args).toContain("error-pwrite-file=/f/no-space");
  });
});

describe("proxyArguments", () => {
  const settings = { serverPort: 4711, exportName: "", clients: 2, unflushed: "log" as const };
  const plain = { upstreamTimeoutS: undefined, pinS: undefined, cacheMib: undefined };

  it("leave out what is to have its default", () => {
    const args = proxyArguments("/f/proxy", { ...settings, plan: plain });
    expect(args.join(" ")).toBe(
      "--addr /f/proxy --conn-addr 127.0.0.1 --conn-port 4711 --max-clients 2 --unflushed log",
    );
  });

  it("have everything that is planned, but no pin in a control", () => {
    const plan = { upstreamTimeoutS: 1, pinS: 4, cacheMib: 8 };
    const exportName = exportNameOf("nbd-server");
    const args = proxyArguments("/f/proxy", { ...settings, exportName, plan }).join(" ");
    expect(args).toContain("--export disk");
    expect(args).toContain("--upstream-timeout 1 --pin 4 --cache=8M");
    expect(proxyArguments("/f/proxy", { ...settings, unflushed: "off", plan }).join(" ")).not.toContain("--pin");
  });
});
