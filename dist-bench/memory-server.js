import { fillArguments } from "./fio-arguments.js";
import { freePort, untilListening } from "./listening-port.js";
import { runFio } from "./run-fio.js";
const FILL_DEADLINE_MS = 60_000;
/** The NBD URI of the default export on a port of 127.0.0.1. */
export function uriOf(port) {
    return `nbd://127.0.0.1:${port}/`;
}
/**
 * Starts nbdkit with a disk in memory, writes every byte of it, so that no read is answered from a hole, and resolves
 * to its port.
 */
export async function startMemoryServer(groups, handshake, sizeMib) {
    const port = await freePort();
    const style = handshake === "oldstyle" ? ["--oldstyle"] : [];
    const args = ["--foreground", "--ipaddr=127.0.0.1", `--port=${port}`, ...style, "memory", `${sizeMib}M`];
    await untilListening(port, groups.start("nbdkit", args));
    await runFio(groups, fillArguments(uriOf(port)), FILL_DEADLINE_MS);
    return port;
}
//# sourceMappingURL=memory-server.js.map