/** A metadata context that a client has selected, under the id that stands for it on this connection ("Metadata querying"). */
export interface SelectedContext {
  readonly id: number;
  readonly name: string;
}

/**
 * Whether this can be the name of a metadata context: a namespace, a colon, and something behind it. What ends with the colon
 * is a query for many.
 */
export function isContextName(text: string): boolean {
  return /^[^:]+:./su.test(text) && !text.endsWith(":");
}
