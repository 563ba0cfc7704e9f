/** A metadata context that a client has selected, under the id that stands for it on this connection ("Metadata querying"). */
export interface SelectedContext {
  readonly id: number;
  readonly name: string;
}
