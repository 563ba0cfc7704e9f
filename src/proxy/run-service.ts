import type { ProxyConfig } from "../config/proxy-config.ts";
import type { ServeConfig } from "../config/serve-config.ts";
import { LIMITS } from "../limits.ts";
import { limitYoungGeneration } from "../system/limit-young-generation.ts";
import { EmbeddedServer } from "./embedded-server.ts";
import { Proxy } from "./proxy.ts";
import { realSurroundings } from "./real-surroundings.ts";
import { runUntilSignal } from "./run-until-signal.ts";

/** Runs the proxy on this machine until a signal; resolves to the exit status. */
export function runProxy(config: ProxyConfig): Promise<number> {
  limitYoungGeneration(process, LIMITS.youngHalfMiB);
  const around = realSurroundings(config.logLevel);
  return runUntilSignal(new Proxy(config, around), around.log);
}

/** Runs the embedded server on this machine until a signal; resolves to the exit status. */
export function runServer(config: ServeConfig): Promise<number> {
  const around = realSurroundings(config.logLevel);
  return runUntilSignal(new EmbeddedServer(config, around), around.log);
}
