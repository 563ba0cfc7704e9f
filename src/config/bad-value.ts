/**
 * A value that a parser refuses. The message is the end of a sentence that begins with the value: "is not a port number".
 * Who knows the option's name makes a UsageError of it.
 */
export class BadValue extends Error {
  override readonly name = "BadValue";
}
