/** The other side broke the protocol, so that nothing it sends can be understood any more: close that connection. */
export class ProtocolViolation extends Error {
  override readonly name = "ProtocolViolation";
}
