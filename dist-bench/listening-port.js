import assert from "node:assert";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
const LISTEN_STATE = "0A";
const POLL_MS = 10;
const DEADLINE_MS = 10_000;
/** A TCP port of 127.0.0.1 that the kernel chose and nobody listens on. */
export async function freePort() {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    assert(address !== null && typeof address === "object", "a TCP listener has a port");
    server.close();
    await once(server, "close");
    return address.port;
}
/** Waits until somebody listens on a port; throws when the process that should do it ends, or takes too long. */
export async function untilListening(port, group) {
    const startMs = performance.now();
    while (!(await isListening(port))) {
        if (group.outcome !== undefined)
            throw new Error(`it ended at once: ${group.stderr.trim()}`);
        if (performance.now() - startMs > DEADLINE_MS)
            throw new Error(`it does not listen: ${group.stderr.trim()}`);
        await delay(POLL_MS);
    }
}
/** Asks the kernel, since a connection would be a client: some contenders take only one. */
async function isListening(port) {
    const text = (await readFile("/proc/net/tcp", "utf8")) + (await readFile("/proc/net/tcp6", "utf8").catch(() => ""));
    const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
    return text.split("\n").some((line) => {
        const [, local, , state] = line.trim().split(/\s+/);
        return state === LISTEN_STATE && local?.endsWith(suffix) === true;
    });
}
//# sourceMappingURL=listening-port.js.map