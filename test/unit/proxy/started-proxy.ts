import { PROXY_DEFAULTS } from "../../../src/config/proxy-config.ts";
import { Proxy, type ProxyOptions } from "../../../src/proxy/proxy.ts";
import { fakeSurroundings } from "../support/fake-surroundings.ts";
import { serve } from "../upstream/served-upstream.ts";

/** What a proxy of these tests is told to do. */
export const OPTIONS = {
  listen: { kind: "tcp", host: "127.0.0.1", port: 0 },
  socketMode: 0o600,
  ...PROXY_DEFAULTS,
  upstreams: [{ endpoint: { kind: "tcp", host: "store", port: 10809 }, exportName: "disk", bindAddress: "192.0.2.7" }],
} as const satisfies ProxyOptions;

/** A proxy that is not started, in a world of the test. */
export function setUp(options: Partial<ProxyOptions> = {}) {
  const around = fakeSurroundings();
  return { ...around, proxy: new Proxy({ ...OPTIONS, ...options }, around) };
}

/** A proxy whose server, on the first connection, is the test. */
export async function started(options: Partial<ProxyOptions> = {}) {
  const world = setUp(options);
  const starting = world.proxy.start();
  const server = await serve(world.network);
  return { ...world, server, endpoint: await starting };
}
