import { blockValue, fillBlocks, INITIAL } from "./block-content.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** What a FLUSH and a crash have to know about who wrote something. */
export interface WriteOrigin {
  /** The connection that it came over. */
  readonly connection: object;
  /** It is on stable storage as soon as it is carried out. */
  readonly fua: boolean;
  /** A crash may leave a part of a block, as long as it was not replied to. */
  readonly tears: boolean;
  /** It was answered with success. Changes at any time. */
  replied: boolean;
}

/** What a block looked like after a write that is not known to be on stable storage. */
interface Version {
  readonly bytes: Buffer;
  readonly origin: WriteOrigin;
  /** A FLUSH failed over it: it is seen, and never written back. */
  phantom: boolean;
}

/**
 * What the model server keeps: the weakest storage that the protocol allows. Each block has its stable content and, in
 * the order of writing, the versions since, of which the last is seen. A FLUSH makes stable what was *replied to* before
 * on its own connection, and nothing else. A crash leaves any version, block by block.
 */
export class ModelDisk {
  readonly blockBytes: number;
  /** Whether there is a cache at all; else everything is stable at once. */
  readonly losesCache: boolean;
  readonly #seen: Buffer;
  readonly #stable: Buffer;
  readonly #versions: Version[][];

  constructor(blocks: number, blockBytes: number, losesCache: boolean) {
    this.blockBytes = blockBytes;
    this.losesCache = losesCache;
    this.#seen = Buffer.alloc(blocks * blockBytes);
    fillBlocks(this.#seen, 0, blockBytes, INITIAL);
    this.#stable = losesCache ? Buffer.from(this.#seen) : this.#seen;
    this.#versions = Array.from({ length: blocks }, () => []);
  }

  get sizeBytes(): number {
    return this.#seen.length;
  }

  /** The values of a block of which any one may be left if the power failed now; torn ones are not among them. */
  possibleValues(block: number): readonly number[] {
    const stable = blockValue(this.#stable, block * this.blockBytes, block, this.blockBytes);
    const versions = this.#versions[block] ?? [];
    return [stable, ...writable(versions).map(({ bytes }) => blockValue(bytes, 0, block, this.blockBytes))];
  }

  read(offset: number, into: Buffer): void {
    this.#seen.copy(into, 0, offset, offset + into.length);
  }

  write(offset: number, bytes: Buffer, origin: WriteOrigin): void {
    bytes.copy(this.#seen, offset);
    if (this.losesCache) this.#remember(offset, bytes.length, origin);
  }

  zero(offset: number, length: number, origin: WriteOrigin): void {
    this.#seen.fill(0, offset, offset + length);
    if (this.losesCache) this.#remember(offset, length, origin);
  }

  /** Makes stable what was replied to over this connection, block by block, and so whatever lies below it. */
  flush(connection: object): void {
    for (const [block, versions] of this.#versions.entries()) {
      const last = versions.findLastIndex(
        ({ origin, phantom }) => origin.connection === connection && origin.replied && !phantom,
      );
      const version = versions[last];
      if (version === undefined) continue;
      version.bytes.copy(this.#stable, block * this.blockBytes);
      versions.splice(0, last + 1);
    }
  }

  /** A FLUSH of this connection fails: what it would have written counts as clean from now on. */
  failFlush(connection: object): void {
    for (const versions of this.#versions) {
      for (const version of versions) if (version.origin.connection === connection) version.phantom = true;
    }
  }

  /** The cache is lost: of each block any version may be left that could have been written back. */
  crash(random: SeededRandom): void {
    // Chance block by block would almost never lose everything, or nothing.
    const mood = random.pick(["any", "any", "oldest", "newest"]);
    for (const [block, versions] of this.#versions.entries()) {
      if (versions.length === 0) continue;
      const left = writable(versions);
      versions.length = 0;
      const newest = mood === "newest" ? left.length - 1 : random.integer(left.length + 1) - 1;
      const version = left[mood === "oldest" ? -1 : newest];
      const at = block * this.blockBytes;
      if (version !== undefined) version.bytes.copy(this.#stable, at, 0, this.#survivingBytes(version, random));
      this.#stable.copy(this.#seen, at, at, at + this.blockBytes);
    }
  }

  #survivingBytes({ origin, bytes }: Version, random: SeededRandom): number {
    const torn = origin.tears && !origin.replied && random.chance(0.3);
    return torn ? random.integer(bytes.length) : bytes.length;
  }

  #remember(offset: number, length: number, origin: WriteOrigin): void {
    const { blockBytes } = this;
    const end = offset + length;
    for (let block = Math.floor(offset / blockBytes); block * blockBytes < end; block += 1) {
      const at = block * blockBytes;
      const bytes = this.#seen.subarray(at, at + blockBytes);
      const whole = offset <= at && at + blockBytes <= end;
      const versions = this.#versions[block] ?? [];
      if (origin.fua && whole) {
        bytes.copy(this.#stable, at);
        versions.length = 0;
      } else {
        versions.push({ bytes: Buffer.from(bytes), origin, phantom: false });
      }
    }
  }
}

function writable(versions: readonly Version[]): readonly Version[] {
  return versions.filter(({ phantom }) => !phantom);
}
