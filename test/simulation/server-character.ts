/** How a model server behaves; a seed draws it for each history. */
export interface ServerCharacter {
  /** The longest time from a request's arrival to its execution, and from there to its reply. */
  readonly serveMaxMs: number;
  /** How likely either takes many times longer, so that others overtake it. */
  readonly lingerChance: number;
  /** How likely a request is carried out in two pieces, block by block. */
  readonly piecesChance: number;
  /** How likely a request is answered with an error. */
  readonly errorChance: number;
  /** A request of a lost connection may be carried out up to any byte, instead of any block. */
  readonly tearsBlocks: boolean;
  /** How likely a connection is made with one of the manners below, instead of the good ones. */
  readonly badMannersChance: number;
  /** How likely a server that was away comes back without some of its features. */
  readonly poorerChance: number;
  readonly exportNameOnlyChance: number;
  /** It knows structured replies, and these metadata contexts. */
  readonly structured: boolean;
  readonly contexts: readonly string[];
  readonly offersDf: boolean;
  /** How likely a server that was away comes back without structured replies, or without a context. */
  readonly forgetfulChance: number;
  readonly maximumPayloadBytes: number;
  /** How likely a newcomer ends the connections before it at once, as it is accepted. */
  readonly jealousChance: number;
  /** The first request of a newcomer ends the connections before it; else they go on. */
  readonly takesOver: boolean;
  /**
   * How long after the loss of a connection a request of it may still be carried out, at most, whoever learns of the loss
   * first; undefined: not after the connection is over for the server.
   */
  readonly lateMs: number | undefined;
  /** Connections end in good order: what was answered arrives, then the end. */
  readonly endsProperly: boolean;
  /** There is a write cache, and a crash loses it. */
  readonly losesCache: boolean;
  /** How likely a FLUSH fails, and what it would have written counts as clean from then on. */
  readonly flushFailChance: number;
  /** For controls: how likely a write is acknowledged and not carried out. */
  readonly loseWriteChance: number;
  /** For controls: how likely a part of a structured READ is left out. */
  readonly gapChance: number;
}

/**
 * How one connection goes wrong: it never says a word; it serves another export; it refuses the export; it speaks old style;
 * it breaks (closed, half-closed or cut) or talks nonsense after a number of bytes; it answers ESHUTDOWN; a structured reply of
 * it breaks the protocol.
 */
export type Manners =
  | { readonly kind: "good" }
  | { readonly kind: "mute" }
  | { readonly kind: "stranger" }
  | { readonly kind: "refusing" }
  | { readonly kind: "old-style" }
  | { readonly kind: "breaking"; readonly afterBytes: number; readonly how: "close" | "half-close" | "cut" }
  | { readonly kind: "nonsense"; readonly afterBytes: number }
  | { readonly kind: "shutting-down"; readonly afterReplies: number }
  | { readonly kind: "ungrammatical"; readonly afterReplies: number };
