import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";

import { proxyTo } from "./support/chain.ts";
import type { RunningProxy } from "./support/chain.ts";
import { COMPARED_SERVERS } from "./support/compared-servers.ts";
import { fioVerify } from "./support/fio.ts";
import { nbdshBefore } from "./support/nbdsh.ts";
import { OldStyleClient } from "./support/old-style-client.ts";
import { PlainClient } from "./support/plain-client.ts";
import { requires } from "./support/requires.ts";
import { run } from "./support/run.ts";
import { scratchFolder } from "./support/scratch-folder.ts";
import { SPARSE_SIZE } from "./support/sparse-image.ts";

/** What is read at once, in turn: short and long, across data and holes, in whole blocks of every server. */
const LENGTHS = [4096, 61_440, 65_536, 69_632, 1_048_576, 8192, 917_504];

/** Reads a whole disk with libnbd, which was told to keep to simple replies in one way or another. */
function withLibnbd(uri: string, restraint: string): Promise<string> {
  const script = `
import hashlib, itertools
${restraint}
h.connect_uri(uri)
assert not h.get_structured_replies_negotiated() and not h.can_df()
data = bytearray()
for length in itertools.cycle(${JSON.stringify(LENGTHS)}):
    length = min(length, h.get_size() - len(data))
    if length == 0: break
    data += h.pread(length, len(data))
print(hashlib.sha256(data).hexdigest(), end="")
`;
  return nbdshBefore(uri, script);
}

/** Reads a whole disk, many requests at once. */
async function withClient(client: PlainClient): Promise<string> {
  const reads: Promise<Buffer>[] = [];
  for (let [offset, turn] = [0, 0]; offset < SPARSE_SIZE; turn += 1) {
    const length = Math.min(LENGTHS[turn % LENGTHS.length] ?? 0, SPARSE_SIZE - offset);
    reads.push(client.read(offset, length));
    offset += length;
  }
  const content = Buffer.concat(await Promise.all(reads));
  await client.disconnect();
  return sha256(content);
}

async function oldStyle({ endpoint }: RunningProxy): Promise<string> {
  const client = await OldStyleClient.connect(endpoint);
  const parts: Buffer[] = [];
  for (let offset = 0; offset < SPARSE_SIZE; offset += 64 * 1024) parts.push(await client.read(offset, 64 * 1024));
  await client.disconnect();
  return sha256(Buffer.concat(parts));
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The ways to read everything, and how the proxy is to greet. */
const GREETINGS: readonly {
  readonly handshake: string;
  readonly clients: Readonly<Record<string, (proxy: RunningProxy) => Promise<string>>>;
}[] = [
  {
    handshake: "auto",
    clients: {
      "libnbd with simple replies": ({ uri }) => withLibnbd(uri, "h.set_request_structured_replies(False)"),
      "libnbd with EXPORT_NAME": ({ uri }) => withLibnbd(uri, "h.set_handshake_flags(0)"),
      "a client like Linux": async ({ endpoint }) => withClient(await PlainClient.connect(endpoint)),
    },
  },
  { handshake: "oldstyle", clients: { "an old-style client": oldStyle } },
];

/** Those that have the most to say: small blocks that are not small enough, and holes in several layers. */
const SERVERS = COMPARED_SERVERS.filter(({ name }) => /block sizes|overlay/.test(name));

for (const kind of SERVERS) {
  requires(
    kind.program,
    "nbdsh",
    "qemu-img",
    "fio",
  )(`before ${kind.name}`, () => {
    it.each([
      { how: "without a cache", args: [] },
      { how: "with a cache", args: ["--cache=2M"] },
    ])("clients of simple replies read a sparse disk, $how", async ({ args }) => {
      const server = await kind.start();
      const copy = join(await scratchFolder(), "copy");
      await run("qemu-img", "convert", "-f", "raw", "-O", "raw", server.uri, copy);
      const content = sha256(await readFile(copy));
      for (const { handshake, clients } of GREETINGS) {
        const proxy = await proxyTo(server, { args: [...args, `--handshake=${handshake}`] });
        for (const [client, read] of Object.entries(clients)) expect(await read(proxy), client).toBe(content);
        await proxy.process.stop();
        expect(proxy.process.stderr).toBe("");
      }
    });

    it("fio finds everything that it has written over data and holes", async () => {
      const server = await kind.start();
      const proxy = await proxyTo(server, { args: ["--max-clients=8"] });
      const what = ["--rw=randwrite", "--bsrange=4k-64k", "--iodepth=16", `--size=${SPARSE_SIZE}`, "--io_size=8M"];
      expect(await fioVerify(proxy.uri, ...what)).toMatch(/err= 0/);
      expect(proxy.process.stderr).toBe("");
    });
  });
}
