/** Randomness, handed in from outside, so that a simulation can repeat it from a seed. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
}
