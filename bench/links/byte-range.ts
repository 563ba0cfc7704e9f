/** What one READ asks for. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}
