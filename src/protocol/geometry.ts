/** What a disk looks like to those who use it; the words are those of an export's transmission flags and INFO replies. */
export interface Geometry {
  readonly sizeBytes: number;
  /** The transmission flags (`TRANSMISSION_FLAG`) of what may be asked. */
  readonly flags: number;
  /** Every offset and length is a multiple of this, a power of two. */
  readonly minimumBlockBytes: number;
  readonly preferredBlockBytes: number;
  /** The longest READ or WRITE. */
  readonly maximumPayloadBytes: number;
  /** The canonical name and the description that the server gave; empty when it gave none. */
  readonly name: string;
  readonly description: string;
  /** The names of the metadata contexts that BLOCK_STATUS tells about; none where it can't be asked. */
  readonly contexts: readonly string[];
  /** The hello of an old-style server, to be repeated byte for byte; absent with servers that negotiate. */
  readonly oldstyleHello?: Buffer;
}
