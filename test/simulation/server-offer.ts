import type { SeededRandom } from "./seeded-random.ts";
import type { ServerCharacter } from "./server-character.ts";
import { OFFERS_DF } from "./structured-wire.ts";
import { OFFERS } from "./wire.ts";

/** What a model server offers to who connects. */
export interface ServerOffer {
  /** The transmission flags; DF is only for those with structured replies. */
  readonly flags: number;
  /** It knows structured replies, */
  readonly structured: boolean;
  /** and these metadata contexts with them. */
  readonly contexts: readonly string[];
}

const HAS_FLAGS = 1;
const RICH = HAS_FLAGS | OFFERS.FLUSH | OFFERS.FUA | OFFERS.TRIM | OFFERS.ZEROES | OFFERS.CACHE | OFFERS.FAST;

/** Everything that a server of this character can do. */
export function fullOffer({ structured, contexts, offersDf }: ServerCharacter): ServerOffer {
  return { flags: offersDf ? RICH | OFFERS_DF : RICH, structured, contexts };
}

/** The same without some of its commands and flags. */
export function poorerOffer(offer: ServerOffer, random: SeededRandom): ServerOffer {
  const gone = [OFFERS.FUA, OFFERS.TRIM, OFFERS.ZEROES, OFFERS.CACHE, OFFERS.FAST, OFFERS_DF];
  const flags = gone.reduce((left: number, flag) => (random.chance(0.5) ? left & ~flag : left), offer.flags);
  return { ...offer, flags };
}

/** The same without structured replies, or without some of the contexts. */
export function forgetfulOffer(offer: ServerOffer, random: SeededRandom): ServerOffer {
  if (random.chance(0.3)) return { ...offer, structured: false };
  return { ...offer, contexts: offer.contexts.filter(() => random.chance(0.5)) };
}
