/** A request as it is on the wire, in the plainest terms. */
export interface WireRequest {
  readonly command: number;
  readonly flags: number;
  readonly cookie: bigint;
  readonly offset: bigint;
  readonly length: number;
  readonly payload: Buffer;
}

/** A simple reply as it is on the wire. */
export interface WireReply {
  readonly error: number;
  readonly cookie: bigint;
  readonly data: Buffer;
}

/** The bytes of a request, written by a second codec that shares nothing with the one under test. */
export function requestBytes(
  fields: Partial<Omit<WireRequest, "offset">> & { readonly offset?: bigint | number },
): Buffer {
  const { command = 0, flags = 0, cookie = 0n, offset = 0n, payload = Buffer.alloc(0) } = fields;
  const header = Buffer.alloc(28);
  header.writeUInt32BE(0x25609513, 0);
  header.writeUInt16BE(flags, 4);
  header.writeUInt16BE(command, 6);
  header.writeBigUInt64BE(cookie, 8);
  header.writeBigUInt64BE(BigInt(offset), 16);
  header.writeUInt32BE(fields.length ?? payload.length, 24);
  return Buffer.concat([header, payload]);
}

/** The whole requests at the beginning of `bytes`, and what is left. Throws when they are out of step. */
export function parseRequests(bytes: Buffer): { readonly requests: WireRequest[]; readonly rest: Buffer } {
  const requests: WireRequest[] = [];
  let rest = bytes;
  while (rest.length >= 28) {
    if (rest.readUInt32BE(0) !== 0x25609513) throw new Error(`no request: ${rest.toString("hex", 0, 28)}`);
    const command = rest.readUInt16BE(6);
    const length = rest.readUInt32BE(24);
    const end = 28 + (command === 1 ? length : 0);
    if (rest.length < end) break;
    requests.push({
      command,
      flags: rest.readUInt16BE(4),
      cookie: rest.readBigUInt64BE(8),
      offset: rest.readBigUInt64BE(16),
      length,
      payload: Buffer.from(rest.subarray(28, end)),
    });
    rest = rest.subarray(end);
  }
  return { requests, rest };
}

/** The bytes of a simple reply. */
export function replyBytes({ error = 0, cookie = 0n, data = Buffer.alloc(0) }: Partial<WireReply>): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt32BE(0x67446698, 0);
  header.writeUInt32BE(error, 4);
  header.writeBigUInt64BE(cookie, 8);
  return Buffer.concat([header, data]);
}

/** The whole replies at the beginning of `bytes`; `dataBytes` says how long the data of a successful one is. */
export function parseReplies(
  bytes: Buffer,
  dataBytes: (cookie: bigint) => number = () => 0,
): { readonly replies: WireReply[]; readonly rest: Buffer } {
  const replies: WireReply[] = [];
  let rest = bytes;
  while (rest.length >= 16) {
    if (rest.readUInt32BE(0) !== 0x67446698) throw new Error(`no reply: ${rest.toString("hex", 0, 16)}`);
    const error = rest.readUInt32BE(4);
    const cookie = rest.readBigUInt64BE(8);
    const end = 16 + (error === 0 ? dataBytes(cookie) : 0);
    if (rest.length < end) break;
    replies.push({ error, cookie, data: Buffer.from(rest.subarray(16, end)) });
    rest = rest.subarray(end);
  }
  return { replies, rest };
}
