import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";

import { ROOT } from "./support/build.ts";
import { diskImage } from "./support/disk-image.ts";
import { freeEndpoint } from "./support/free-port.ts";
import { proxyBefore } from "./support/proxy-before.ts";
import { requires } from "./support/requires.ts";
import { run } from "./support/run.ts";
import { scratchFolder } from "./support/scratch-folder.ts";
import { StorageDaemon } from "./support/storage-daemon.ts";
import { VerifiedLoad } from "./support/verified-load.ts";

const SIZE = 4 * 1024 * 1024;

/** The QMP commands of the recipe in docs/operations.md, without the greeting and the questions between them. */
async function documentedCommands(): Promise<string[]> {
  const page = await readFile(join(ROOT, "docs/operations.md"), "utf8");
  const named = [...page.matchAll(/"execute": "(?<command>[\w-]+)"/g)].map(({ groups }) => groups?.["command"] ?? "");
  return named.filter((command) => !/^qmp_|^query-/.test(command));
}

requires(
  "qemu-storage-daemon",
  "fio",
  "nbdcopy",
)("while its disk moves from one server to another, a client", () => {
  it("sees a pause and nothing else, and the second server has every byte", async () => {
    const [address, elsewhere] = [await freeEndpoint(), await freeEndpoint()];
    if (address.kind !== "tcp" || elsewhere.kind !== "tcp") throw new Error("not TCP");
    const [image1, image2] = [await diskImage(SIZE), await diskImage(SIZE)];
    const server1 = await StorageDaemon.start(image1, address);
    const server2 = await StorageDaemon.start(image2, elsewhere);
    const proxy = await proxyBefore([server1.uri], { args: ["--verbose"] });
    const load = await VerifiedLoad.start({
      uri: proxy.uri,
      imagePath: image1,
      sizeBytes: SIZE,
      blocksPerSecond: 300,
      loops: 2,
    });
    const attached = (): number => proxy.process.stderr.match(/client .*: attached/g)?.length ?? 0;
    const attachedAtFirst = attached();

    // What is written meanwhile is copied as well.
    const server = { type: "inet", host: elsewhere.host, port: String(elsewhere.port) };
    await server1.execute("blockdev-add", { driver: "nbd", "node-name": "copy", server });
    await server1.execute("blockdev-mirror", { "job-id": "move", device: "disk", target: "copy", sync: "full" });
    await server1.untilJob("move", "ready");
    await delay(1000);
    // From here on server 1 answers no client: what it has ever answered is on its disk, and will be in the copy.
    await server1.execute("nbd-server-stop");
    await server1.execute("job-complete", { id: "move" });
    await server1.untilJob("move", undefined);
    await server1.execute("quit");
    expect(await server1.process.exited()).toEqual({ status: 0, signal: null });
    load.expectStillRunning();

    // Server 2 stops being the target of the copy and takes over the address.
    await server2.execute("nbd-server-stop");
    const addr = { type: "inet", data: { host: address.host, port: String(address.port) } };
    await server2.execute("nbd-server-start", { addr });
    const disk = { type: "nbd", id: "disk", "node-name": "disk", name: "", writable: true };
    await server2.execute("block-export-add", disk);
    await proxy.process.untilStderr(/connected again/);
    expect([...server1.commands, ...server2.commands]).toEqual(await documentedCommands());
    load.expectStillRunning();
    await load.expectCleanEnd();
    expect(attached()).toBe(attachedAtFirst);

    const shown = join(await scratchFolder(), "shown");
    await run("nbdcopy", proxy.uri, shown);
    const content = await readFile(image2);
    expect(content.equals(await readFile(shown))).toBe(true);
    // Each block of the load begins with fio's mark; server 1 has not seen the last ones.
    const marks = Array.from({ length: SIZE / 4096 }, (_, block) => content.readUInt16LE(block * 4096));
    expect(new Set(marks)).toEqual(new Set([0xacca]));
    expect(content.equals(await readFile(image1))).toBe(false);

    const log = proxy.process.stderr;
    expect(log.match(/connection lost/g)).toHaveLength(1);
    expect(log).not.toMatch(/:[EF]:/);
    expect(await proxy.process.stop()).toEqual({ status: 0, signal: null });
  });
});
