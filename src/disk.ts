import type { ExportSummary } from "./protocol/export-summary.ts";
import type { Geometry } from "./protocol/geometry.ts";
import type { Slice } from "./transport/slice.ts";

/** What a listener serves. */
export interface Exports {
  list(): Promise<readonly ExportSummary[]>;
  /** The disk of that name, or undefined where there is none. "" asks for the default export. */
  open(name: string): Promise<Disk | undefined>;
}

/** The port where the halves of the house meet: downstream serves any Disk, upstream makes one, some stand between. */
export interface Disk {
  readonly geometry: Geometry;
  attach(user: DiskUser): DiskHandle;
}

/** Who uses a disk. */
export interface DiskUser {
  /** Names of the metadata contexts that the user relies on. */
  readonly contexts?: readonly string[];
  /** The server behind the disk was connected to anew: what was kept of earlier replies may be out of date. */
  onReset(): void;
  /** The room that the user needs for a header in front of data. */
  readonly replyHeaderBytes?: number;
}

/** One user's access to a disk. */
export interface DiskHandle {
  /**
   * Takes a request. Its `complete` is called exactly once, perhaps during this call. The request was checked against
   * the geometry: in bounds, aligned, allowed.
   */
  submit(request: DiskRequest): void;
  /** The user leaves: what has not been sent to a server is dropped (completed with ESHUTDOWN), the rest completes late. */
  close(): void;
}

/** One request on its way down the stack. Commands, flags and errors are the protocol's numbers. */
export interface DiskRequest {
  readonly command: number;
  readonly flags: number;
  readonly offset: number;
  readonly length: number;
  /**
   * The payload of a WRITE, in order. The requester holds the memory until `complete`, and what is in it does not change,
   * not even later: whoever may have to send it again retains the slabs.
   */
  readonly payload: readonly Slice[];
  /**
   * Where a request header may be written in place, good during `submit` only: an empty slice whose headroom is free, for
   * requests without a payload. With one, the first payload slice has the headroom. Undefined or too little: the header
   * goes elsewhere.
   */
  readonly room: Slice | undefined;
  /** The reply, exactly once. The reply and its slices are good during the call; retain what is needed longer. */
  complete(reply: Reply): void;
}

/** One reply on its way up the stack. */
export interface Reply {
  /** 0 for success, else an `NBD_ERROR`. */
  readonly error: number;
  /** The data of a successful READ: pieces in order that cover the range without gap or overlap. Else empty. */
  readonly pieces: readonly Piece[];
  /** As `DiskRequest.room`, for the reply header of a reply without data. */
  readonly room: Slice | undefined;
  /** What a successful BLOCK_STATUS found: one for each context of the disk's geometry, in any order. Else absent. */
  readonly statuses?: readonly ContextStatus[];
  /** What else the server said of an error, if anything. */
  readonly detail?: ErrorDetail;
}

/** A part of a READ's range: bytes, or a hole that reads as zeros. */
export type Piece =
  /** `continues`: the server sent it in one chunk with the data piece before it. */
  | { readonly kind: "data"; readonly slice: Slice; readonly continues?: boolean }
  | { readonly kind: "hole"; readonly lengthBytes: number };

/** What one metadata context says of a range, from its beginning on, perhaps less far or further than was asked. */
export interface ContextStatus {
  /** The context's name, such as `base:allocation`. */
  readonly context: string;
  /** At least one extent: pairs of length in bytes and flags, whose meaning is the context's. At most `LIMITS.statusExtents` pairs. */
  readonly extents: Uint32Array;
}

/** What a server may say of an error beside its value ("Structured reply types"). */
export interface ErrorDetail {
  /** For people; as the server sent it, so it must be escaped where it is printed. "" for none. */
  readonly text: string;
  /** Where in the export it happened; undefined when the server did not tell. */
  readonly offset: number | undefined;
}
