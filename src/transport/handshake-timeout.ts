import { ConnectionLost } from "./connection-lost.ts";

/** The connection stands, but the other side did not finish the handshake in time. */
export class HandshakeTimeout extends ConnectionLost {}
