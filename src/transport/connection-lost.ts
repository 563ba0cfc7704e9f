/** The connection to the other side is gone, or as good as gone: whoever needs it connects again. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}
