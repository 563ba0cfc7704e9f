import { addresses } from "./own-contenders.js";
const PIPE_BUFFER_BYTES = 256 * 1024;
/** Longer than any run: no contender may give up while it is measured. */
const RECONNECT_DELAY_SECONDS = 3600;
/** No proxy at all, and everything that may be installed. */
export const OTHER_CONTENDERS = [
    { name: "direct", role: "direct", handshake: "newstyle", needs: undefined, command: undefined },
    {
        name: "nbdkit-nbd",
        role: "peer",
        handshake: "newstyle",
        needs: "nbdkit",
        command: (listenPort, serverPort) => nbdkit(listenPort, serverPort),
    },
    {
        name: "nbdkit-nbd-retry",
        role: "resilient",
        handshake: "newstyle",
        needs: "nbdkit",
        command: (listenPort, serverPort) => nbdkit(listenPort, serverPort, "--filter=retry"),
    },
    {
        name: "qemu-nbd",
        role: "resilient",
        handshake: "newstyle",
        needs: "qemu-nbd",
        command: (listenPort, serverPort) => [
            "qemu-nbd",
            "--persistent",
            "--shared=0",
            "--bind=127.0.0.1",
            `--port=${listenPort}`,
            "--image-opts",
            `driver=nbd,server.type=inet,server.host=127.0.0.1,server.port=${serverPort},` +
                `reconnect-delay=${RECONNECT_DELAY_SECONDS}`,
        ],
    },
    {
        name: "socat",
        role: "pipe",
        handshake: "newstyle",
        needs: "socat",
        command: (listenPort, serverPort) => [
            "socat",
            "-b",
            String(PIPE_BUFFER_BYTES),
            `TCP4-LISTEN:${listenPort},bind=127.0.0.1,reuseaddr,fork,nodelay`,
            `TCP4:127.0.0.1:${serverPort},nodelay`,
        ],
    },
];
/** The original flexnbd-proxy at a path; it speaks nothing but the old style. */
export function originalContender(path) {
    return {
        name: "original",
        role: "resilient",
        handshake: "oldstyle",
        command: (listenPort, serverPort) => [path, ...addresses(listenPort, serverPort)],
    };
}
/**
 * Those that can take part, in their order, and those that can't. `findProgram` tells where a program is installed;
 * `originalPath` is where the original is, if it is at hand.
 */
export function otherContenders(findProgram, originalPath) {
    const contenders = [];
    const leftOut = [];
    for (const contender of OTHER_CONTENDERS) {
        const { name, needs } = contender;
        if (needs === undefined || findProgram(needs) !== undefined)
            contenders.push(contender);
        else
            leftOut.push({ name, reason: `${needs} is not installed` });
    }
    if (originalPath === undefined) {
        leftOut.push({ name: "original", reason: "FLEXNBD_PROXY does not name it" });
    }
    else if (findProgram(originalPath) === undefined) {
        leftOut.push({ name: "original", reason: "what FLEXNBD_PROXY names is not a program" });
    }
    else {
        contenders.push(originalContender(originalPath));
    }
    return { contenders, leftOut };
}
function nbdkit(listenPort, serverPort, ...filters) {
    const uri = `uri=nbd://127.0.0.1:${serverPort}/`;
    return ["nbdkit", "--foreground", "--ipaddr=127.0.0.1", `--port=${listenPort}`, ...filters, "nbd", uri];
}
//# sourceMappingURL=other-contenders.js.map