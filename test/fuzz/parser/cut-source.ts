import type { ByteSource } from "../../../src/protocol/byte-source.ts";
import type { SeededRandom } from "../../simulation/seeded-random.ts";
import { cutPositions } from "../transcript/cut.ts";
import { checkError } from "../support/check-text.ts";
import { expectThat } from "../support/fuzz-target.ts";

/** Memory that a decoder reads from, as bytes and as a view. */
export class CutSource implements ByteSource {
  readonly bytes: Buffer;
  readonly view: DataView;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }
}

/** What a decoder does with [start, end): where the rest begins. */
type Decode = (source: CutSource, start: number, end: number) => number;

/**
 * Feeds bytes to a decoder as they may arrive: cut anywhere, what was left over again in one piece with the next, and now
 * and then moved to other memory. `refused` tells whether the decoder stopped because it was told to.
 */
export function feed(bytes: Buffer, random: SeededRandom, decode: Decode, refused: () => boolean): void {
  let source = new CutSource(bytes);
  let start = 0;
  let moved = 0;
  for (const cut of cutPositions(bytes.length, random)) {
    if (random.chance(0.2)) {
      // Behind other bytes, so that a position taken for another one shows.
      const lead = random.integer(9);
      source = new CutSource(Buffer.concat([Buffer.alloc(lead, 0xdb), bytes.subarray(moved + start)]));
      moved += start - lead;
      start = lead;
    }
    const end = Math.max(start, cut - moved);
    for (let tries = 0; ; tries += 1) {
      expectThat(tries < 1000, "refused for ever");
      const rest = decode(source, start, end);
      expectThat(rest >= start && rest <= end, `consumed up to ${rest} of [${start}, ${end})`);
      start = rest;
      if (!refused()) break;
    }
  }
}

/** Feeds bytes to a decoder that goes on to the end unless they break the protocol; tells whether they did. */
export function breaks(bytes: Buffer, random: SeededRandom, decode: Decode): boolean {
  try {
    feed(bytes, random, decode, () => false);
    return false;
  } catch (error) {
    checkError(error, ["ProtocolViolation"]);
    return true;
  }
}
