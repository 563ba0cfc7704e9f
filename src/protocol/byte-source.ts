/** Memory that a decoder reads from; what else it is, only its owner knows. */
export interface ByteSource {
  readonly view: DataView;
}
