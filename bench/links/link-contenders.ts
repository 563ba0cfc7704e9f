import type { Contender } from "../contender.ts";
import type { Named, NodeBinary } from "../own-contenders.ts";
import { addresses } from "../own-contenders.ts";

/** All ratios are to this one. */
export const WITHOUT_CACHE = "flexnbd-proxy";
/** What read-ahead is given, here and there. */
const CACHE = "64M";
/** As many as the pattern with most connections needs. */
const CLIENTS = 8;

/**
 * Those whose read-ahead is compared: no proxy, nbdkit as it would be set up here, and ours, without a cache and with it.
 * `builds` are other main.js files of ours.
 */
export function linkContenders(main: string, node: NodeBinary, builds: readonly Named[]): Contender[] {
  const ours = [{ name: WITHOUT_CACHE, text: main }, ...builds];
  return [
    { name: "direct", role: "direct", handshake: "newstyle", command: undefined },
    // It asks the next one to cache: without a cache here, what it fetches would stay at the far end of the link.
    nbdkit("nbdkit-readahead", ["readahead", "cache"]),
    // What retries takes one request at a time, and then the other one says that it does nothing.
    nbdkit("nbdkit-readahead-retry", ["readahead", "cache", "retry"]),
    ...ours.flatMap(({ name, text }) => [
      proxy(name === WITHOUT_CACHE ? name : `${WITHOUT_CACHE} ${name}`, node, text, []),
      proxy(name === WITHOUT_CACHE ? `${name} cache` : `${WITHOUT_CACHE} ${name} cache`, node, text, [
        `--cache=${CACHE}`,
      ]),
    ]),
  ];
}

function nbdkit(name: string, filters: readonly string[]): Contender {
  return {
    name,
    role: filters.includes("retry") ? "resilient" : "peer",
    handshake: "newstyle",
    command: (listenPort, serverPort) => [
      "nbdkit",
      ...["--foreground", "--ipaddr=127.0.0.1", `--port=${listenPort}`],
      ...filters.map((filter) => `--filter=${filter}`),
      ...["nbd", `uri=nbd://127.0.0.1:${serverPort}/`],
      ...(filters.includes("cache") ? ["cache=writethrough", `cache-max-size=${CACHE}`] : []),
    ],
  };
}

function proxy(name: string, node: NodeBinary, main: string, options: readonly string[]): Contender {
  return {
    name,
    role: "ours",
    handshake: "newstyle",
    command: (listenPort, serverPort) => [
      ...([node.path, main] as const),
      ...addresses(listenPort, serverPort),
      `--max-clients=${CLIENTS}`,
      ...options,
    ],
  };
}
