/** The numbers of the NBD protocol, under the names that its text gives them. */

/** Magics. 64-bit ones are kept as two 32-bit halves, so that nothing on the data path needs a BigInt. */
export const MAGIC = {
  INIT_HIGH: 0x4e42444d,
  INIT_LOW: 0x41474943,
  OPTION_HIGH: 0x49484156,
  OPTION_LOW: 0x454f5054,
  OLDSTYLE_HIGH: 0x00004202,
  OLDSTYLE_LOW: 0x81861253,
  OPTION_REPLY_HIGH: 0x0003e889,
  OPTION_REPLY_LOW: 0x045565a9,
  REQUEST: 0x25609513,
  SIMPLE_REPLY: 0x67446698,
  STRUCTURED_REPLY: 0x668e33ef,
} as const;

/** Handshake flags of the server, and client flags: the same bits on both sides ("Handshake phase"). */
export const HANDSHAKE_FLAG = { FIXED_NEWSTYLE: 1, NO_ZEROES: 2 } as const;

/** Options ("Option types"). */
export const OPTION = {
  EXPORT_NAME: 1,
  ABORT: 2,
  LIST: 3,
  STARTTLS: 5,
  INFO: 6,
  GO: 7,
  STRUCTURED_REPLY: 8,
  LIST_META_CONTEXT: 9,
  SET_META_CONTEXT: 10,
  EXTENDED_HEADERS: 11,
} as const;

/** Option replies ("Option reply types"); bit 31 marks an error. */
export const OPTION_REPLY = {
  ACK: 1,
  SERVER: 2,
  INFO: 3,
  META_CONTEXT: 4,
  ERR_UNSUP: 0x80000001,
  ERR_POLICY: 0x80000002,
  ERR_INVALID: 0x80000003,
  ERR_PLATFORM: 0x80000004,
  ERR_TLS_REQD: 0x80000005,
  ERR_UNKNOWN: 0x80000006,
  ERR_SHUTDOWN: 0x80000007,
  ERR_BLOCK_SIZE_REQD: 0x80000008,
  ERR_TOO_BIG: 0x80000009,
  ERR_EXT_HEADER_REQD: 0x8000000a,
} as const;

/** Kinds of information in a reply of type INFO. */
export const INFO = { EXPORT: 0, NAME: 1, DESCRIPTION: 2, BLOCK_SIZE: 3 } as const;

/** Transmission flags of an export ("Transmission flags"). */
export const TRANSMISSION_FLAG = {
  HAS_FLAGS: 1 << 0,
  READ_ONLY: 1 << 1,
  SEND_FLUSH: 1 << 2,
  SEND_FUA: 1 << 3,
  ROTATIONAL: 1 << 4,
  SEND_TRIM: 1 << 5,
  SEND_WRITE_ZEROES: 1 << 6,
  SEND_DF: 1 << 7,
  CAN_MULTI_CONN: 1 << 8,
  SEND_RESIZE: 1 << 9,
  SEND_CACHE: 1 << 10,
  SEND_FAST_ZERO: 1 << 11,
} as const;

/** Request types ("Request types"). */
export const COMMAND = {
  READ: 0,
  WRITE: 1,
  DISC: 2,
  FLUSH: 3,
  TRIM: 4,
  CACHE: 5,
  WRITE_ZEROES: 6,
  BLOCK_STATUS: 7,
} as const;

/** Command flags of a request ("Command flags"). */
export const COMMAND_FLAG = { FUA: 1, NO_HOLE: 2, DF: 4, REQ_ONE: 8, FAST_ZERO: 16 } as const;

/** Flags of a structured reply chunk ("Structured reply flags"). */
export const CHUNK_FLAG = { DONE: 1 } as const;

/** Types of structured reply chunks ("Structured reply types"); bit 15 marks an error. */
export const CHUNK = {
  NONE: 0,
  OFFSET_DATA: 1,
  OFFSET_HOLE: 2,
  BLOCK_STATUS: 5,
  ERROR: 0x8001,
  ERROR_OFFSET: 0x8002,
} as const;

/** The metadata context that every server may have ("Metadata querying"), and the flags of its extents. */
export const BASE_ALLOCATION = "base:allocation";
export const ALLOCATION_FLAG = { HOLE: 1, ZERO: 2 } as const;

/** Error values of a reply ("Error values"); 0 is success. */
export const NBD_ERROR = {
  EPERM: 1,
  EIO: 5,
  ENOMEM: 12,
  EINVAL: 22,
  ENOSPC: 28,
  EOVERFLOW: 75,
  ENOTSUP: 95,
  ESHUTDOWN: 108,
} as const;

/** The longest string of the protocol, in bytes: longer ones are a violation, whoever sends them. */
export const STRING_LIMIT_BYTES = 4096;

/** The payload that every server must be ready for, in bytes ("Size constraints"): 32 MiB. */
export const PORTABLE_PAYLOAD_BYTES = 0x0200_0000;
/** The block that a portable client assumes where it is not told, in bytes. */
export const PORTABLE_BLOCK_BYTES = 512;

/** The whole negotiation of an old-style server, in bytes ("Oldstyle negotiation"). */
export const OLDSTYLE_HELLO_BYTES = 152;

/** Sizes of the fixed messages of the transmission phase, in bytes. */
export const REQUEST_HEADER_BYTES = 28;
/** A simple reply without its data, in bytes. */
export const SIMPLE_REPLY_HEADER_BYTES = 16;
/** A structured reply chunk without its payload, in bytes, */
export const CHUNK_HEADER_BYTES = 20;
/** and one with data, up to where the data begins. */
export const DATA_CHUNK_HEADER_BYTES = 28;
/** One extent in a chunk with block status: length and flags, in bytes. */
export const EXTENT_BYTES = 8;

/** The zeroes behind the answer to EXPORT_NAME, unless both sides agreed on NO_ZEROES. */
export const EXPORT_NAME_PADDING_BYTES = 124;

/** The port that IANA assigned to NBD. */
export const DEFAULT_PORT = 10809;
