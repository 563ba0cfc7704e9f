import { parseNbdUri } from "../../../src/protocol/nbd-uri.ts";
import type { SeededRandom } from "../../simulation/seeded-random.ts";
import { checkError } from "../support/check-text.ts";
import { expectThat, type FuzzTarget } from "../support/fuzz-target.ts";

const SEEDS = [
  "nbd://example.org",
  "nbd://example.org:10809/export",
  "nbd://[::1]:65535/",
  "nbd://[fe80::1%25eth0]/x",
  "nbd+unix:///?socket=/run/nbd.sock",
  "nbd+unix:///export%20name?socket=%00abstract",
  "nbds://user@host/?tls-certificates=/etc",
  "NBD://HOST/%C3%A4",
  "nbd://h/a%2Fb?socket=x&socket=y",
] as const;

const SCRAPS = ["%", "%00", "%ff", "%C3", "/", "//", ":", "::", "?", "#", "&", "=", "[", "]", "@", "\\", "0", "99999"];
const NASTY = ["\0", "\n", " ", "\u202e", "\ud800", "ä", "𝄞", "__proto__", "socket=", "nbd+unix:///", "x".repeat(5000)];

/** Upstream URIs that were mangled, typed badly, or made up. */
export const nbdUriTarget: FuzzTarget = {
  name: "nbd-uri",
  role: "server",
  level: "parser",
  run(random, size) {
    let text: string = random.pick(SEEDS);
    for (let count = random.integer(size + 1); count > 0; count -= 1) text = mangled(text, random);
    let uri;
    try {
      uri = parseNbdUri(text);
    } catch (error) {
      checkError(error, ["NbdUriError"]);
      return;
    }
    const { endpoint, exportName } = uri;
    expectThat(Buffer.byteLength(exportName) <= 4096 && !exportName.includes("\0"), "an impossible export name");
    if (endpoint.kind === "unix") expectThat(!endpoint.path.includes("\0", 1) && endpoint.path !== "", "a bad path");
    else {
      const portFits = Number.isInteger(endpoint.port) && endpoint.port >= 1 && endpoint.port <= 65_535;
      expectThat(portFits && endpoint.host !== "" && !/[\s\0/]/u.test(endpoint.host), "a bad address");
    }
    const again = parseNbdUri(written(uri));
    expectThat(JSON.stringify(again) === JSON.stringify(uri), `${JSON.stringify(text)} does not survive rewriting`);
  },
};

function written({ endpoint, exportName }: ReturnType<typeof parseNbdUri>): string {
  const path = encodeURIComponent(exportName);
  if (endpoint.kind === "unix") return `nbd+unix:///${path}?socket=${encodeURIComponent(endpoint.path)}`;
  const host = endpoint.host.includes(":")
    ? `[${encodeURIComponent(endpoint.host).replaceAll("%3A", ":")}]`
    : encodeURIComponent(endpoint.host);
  return `nbd://${host}:${endpoint.port}/${path}`;
}

function mangled(text: string, random: SeededRandom): string {
  const at = random.integer(text.length + 1);
  const to = at + random.integer(Math.min(10, text.length - at + 1));
  switch (random.integer(5)) {
    case 0:
      return text.slice(0, at) + text.slice(to);
    case 1:
      return text.slice(0, at) + random.pick(SCRAPS) + text.slice(at);
    case 2:
      return text.slice(0, at) + random.pick(NASTY) + text.slice(to);
    case 3:
      return text.slice(0, to) + text.slice(at);
    default:
      return text.slice(0, at) + String.fromCharCode(random.integer(0x250)) + text.slice(to);
  }
}
