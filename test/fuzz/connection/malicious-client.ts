import type { SeededRandom } from "../../simulation/seeded-random.ts";
import { clientHello, requests } from "../transcript/client-messages.ts";
import { mutate } from "../transcript/mutate.ts";
import type { FuzzPeer, FuzzStream } from "../support/fuzz-stream.ts";
import { cut } from "../transcript/cut.ts";
import { auditConversation, type Conversation } from "./audit-conversation.ts";
import { DISK_BYTES } from "./guarded-disk.ts";

/** A client that says anything, hears or does not hear, and leaves at any moment. */
export class MaliciousClient implements FuzzPeer {
  readonly #random: SeededRandom;
  readonly #found: (error: unknown) => void;
  readonly #speech: Buffer[];
  #stream: FuzzStream | undefined;
  readonly #received: Buffer[] = [];
  readonly #told: Buffer[] = [];
  /** It did something that no honest client does while it waits for answers. */
  #left = false;
  #over = false;

  /** `found` is told what an oracle says. */
  constructor(random: SeededRandom, size: number, oldstyle: boolean, found: (error: unknown) => void) {
    this.#random = random;
    this.#found = found;
    const hello = oldstyle && random.chance(0.9) ? [] : clientHello(random, size);
    const field = {
      sizeBytes: random.pick([DISK_BYTES, DISK_BYTES * 2]),
      longestBytes: random.pick([100, 5000, 60_000]),
    };
    const said = [...hello, ...requests(random, field, 2 * size)];
    const bytes = Buffer.concat(mutate(said, random, random.integer(size + 1)).map((one) => one.bytes));
    this.#speech = cut(bytes, random);
  }

  connect(stream: FuzzStream): void {
    this.#stream = stream;
    if (this.#random.chance(0.3)) stream.takeOnly(this.#random.integer(3000));
  }

  /** Nothing more will be said to it. */
  get gone(): boolean {
    return this.#over;
  }

  /** It is not over, it hears everything, and the other side listens. */
  get heardOut(): boolean {
    return !this.#over && this.#stream?.paused === false;
  }

  /** What was said so far, judged. */
  judge(): Conversation {
    return auditConversation(Buffer.concat(this.#received), Buffer.concat(this.#told));
  }

  /** Nobody may be hung up on who took leave properly and waited. */
  judgeFarewell(): void {
    const { tookLeave, unanswered } = this.judge();
    if (tookLeave && !this.#left && unanswered > 0)
      this.#found(new Error(`${unanswered} requests before a DISC were not answered`));
  }

  /** Does one thing. */
  act(): void {
    const stream = this.#stream;
    if (stream === undefined || this.#over) return;
    const choice = this.#random.integer(20);
    const piece = this.#speech[0];
    if (choice < 14 && piece !== undefined) {
      this.#speech.shift();
      stream.say(piece);
    } else if (choice === 14) stream.takeAll();
    else if (choice === 15) stream.takeOnly(this.#random.integer(2000));
    else if (choice === 16 && this.#random.chance(0.2)) this.leave();
    stream.deliver(this.#random.chance(0.5));
  }

  /** Says all that is left, and hears everything from now on. */
  finish(): void {
    for (const piece of this.#speech.splice(0)) this.#stream?.say(piece);
    this.#stream?.takeAll();
  }

  /** Half-closes or vanishes. */
  leave(): void {
    this.#left = true;
    if (this.#random.chance(0.5)) this.#stream?.break();
    else this.#stream?.sayEnd();
  }

  written(): void {
    // What counts is what arrives.
  }

  heard(bytes: Buffer): void {
    this.#told.push(bytes);
  }

  delivering(bytes: Buffer): void {
    this.#received.push(Buffer.from(bytes));
  }

  over(): void {
    this.#over = true;
    if (this.#random.chance(0.5)) this.#stream?.sayEnd();
  }
}
