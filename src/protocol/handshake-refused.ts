/**
 * One side of the handshake will not go on although nobody broke the protocol: the server has no such export, wants TLS,
 * speaks another style. Close the connection; trying again later may help. The message is safe to print.
 */
export class HandshakeRefused extends Error {
  override readonly name = "HandshakeRefused";

  /** The type of the option reply that said so (`OPTION_REPLY.ERR_…`); undefined when no reply was involved. */
  readonly optionReply: number | undefined;

  constructor(message: string, optionReply?: number) {
    super(message);
    this.optionReply = optionReply;
  }
}
