import type { ServerName } from "./server-name.ts";

/** What a server serves, and where. */
export interface ServerSettings {
  readonly port: number;
  readonly imagePath: string;
  /** While this file exists, nbdkit's writes to the image fail with ENOSPC. */
  readonly noSpacePath: string;
  /** For those that need a file to be configured. */
  readonly configPath: string;
  readonly pidPath: string;
}

/** A program with its arguments. */
export interface ServerCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** The text that must be in `configPath` before it is started, and that makes it go into the background. */
  readonly config?: string;
}

/** The export's name: nbd-server has none without a name. */
export function exportNameOf(server: ServerName): string {
  return server === "nbd-server" ? "disk" : "";
}

/** How a server is started. */
export function serverCommand(server: ServerName, settings: ServerSettings): ServerCommand {
  const { port, imagePath, configPath, pidPath } = settings;
  switch (server) {
    case "nbdkit-cache":
      // The error filter is behind the cache: it is the flush that finds no space.
      return { program: "nbdkit", args: nbdkitArgs(settings, ["--filter=cache", "--filter=error"]) };
    case "nbdkit":
      return { program: "nbdkit", args: nbdkitArgs(settings, ["--filter=error"]) };
    case "qemu-nbd": {
      const where = ["--bind=127.0.0.1", `--port=${port}`];
      const args = ["--persistent", "--shared=0", "--format=raw", "--discard=unmap", ...where, imagePath];
      return { program: "qemu-nbd", args };
    }
    case "nbd-server":
      return { program: "nbd-server", args: ["-C", configPath, "-p", pidPath], config: nbdServerConfig(settings) };
  }
}

function nbdkitArgs({ port, imagePath, noSpacePath }: ServerSettings, filters: readonly string[]): string[] {
  const writes = ["error-pwrite", "error-zero", "error-trim"];
  const errors = writes.flatMap((name) => [`${name}=ENOSPC`, `${name}-rate=100%`, `${name}-file=${noSpacePath}`]);
  return ["--exit-with-parent", "--ipaddr=127.0.0.1", `--port=${port}`, ...filters, "file", imagePath, ...errors];
}

function nbdServerConfig({ port, imagePath }: ServerSettings): string {
  const generic = ["[generic]", "allowlist = true", "listenaddr = 127.0.0.1", `port = ${port}`];
  const disk = ["[disk]", `exportname = ${imagePath}`, "flush = true", "fua = true", "trim = true"];
  return [...generic, ...disk, ""].join("\n");
}
