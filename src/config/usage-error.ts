/** The user asked for something that cannot be. The message names the option and the bad value; exit status 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  /** The option as the user gave it: `--port` or `FLEXNBD_PORT`; undefined when the trouble is about none. */
  readonly option: string | undefined;
  /** The value as the user gave it; undefined when one is missing. */
  readonly value: string | undefined;

  constructor(
    message: string,
    about: { readonly option?: string; readonly value?: string; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: about.cause });
    this.option = about.option;
    this.value = about.value;
  }
}
