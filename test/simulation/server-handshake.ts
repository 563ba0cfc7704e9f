import type { ModelServer } from "./model-server.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { Manners } from "./server-character.ts";
import type { ServerOffer } from "./server-offer.ts";
import * as structured from "./structured-wire.ts";
import * as wire from "./wire.ts";

const NO_BYTES = Buffer.alloc(0);

/** What the model server and the proxy agreed on for one connection. */
export interface ServerAgreement {
  /** The transmission flags that were shown. */
  readonly flags: number;
  readonly structured: boolean;
  /** The selected metadata contexts by the id that they got. */
  readonly contexts: ReadonlyMap<number, string>;
}

/** The model server's side of one handshake, as far as its manners go. What the proxy may not say is reported. */
export class ServerHandshake {
  readonly #server: ModelServer;
  readonly #offer: ServerOffer;
  readonly #random: SeededRandom;
  readonly #manners: Manners;
  readonly #send: (bytes: Buffer) => void;
  #structured = false;
  #contexts = new Map<number, string>();

  constructor(server: ModelServer, random: SeededRandom, manners: Manners, send: (bytes: Buffer) => void) {
    this.#server = server;
    this.#offer = server.offer;
    this.#random = random;
    this.#manners = manners;
    this.#send = send;
  }

  *run(): Generator<number, ServerAgreement, Buffer> {
    const { disk, report } = this.#server;
    if (this.#manners.kind === "mute") yield Infinity;
    if (this.#manners.kind === "old-style") {
      this.#send(wire.oldStyleHello(disk.sizeBytes));
      yield Infinity;
    }
    const noZeroes = this.#random.chance(0.8);
    this.#send(wire.greeting(noZeroes));
    const clientFlags = (yield 4).readUInt32BE(0);
    if ((clientFlags & ~(noZeroes ? 3 : 1)) !== 0) report(`the proxy answered a greeting with flags ${clientFlags}`);
    while (!(yield* this.#serveOption(clientFlags)));
    return { flags: this.#flags, structured: this.#structured, contexts: this.#contexts };
  }

  get #flags(): number {
    return this.#structured ? this.#offer.flags : this.#offer.flags & ~structured.OFFERS_DF;
  }

  /** Answers one option; true when transmission begins. */
  *#serveOption(clientFlags: number): Generator<number, boolean, Buffer> {
    const header = yield 16;
    if (!wire.isOption(header)) this.#server.report("the proxy sent an option without its magic");
    const number = header.readUInt32BE(8);
    const length = header.readUInt32BE(12);
    const data = length === 0 ? NO_BYTES : Buffer.from(yield length);
    const refuses = this.#random.chance(this.#server.character.exportNameOnlyChance);
    if (number === wire.EXPORT_NAME) {
      const { sizeBytes, flags } = this.#export();
      const padding = Buffer.alloc((clientFlags & 2) === 0 ? 124 : 0);
      this.#send(Buffer.concat([wire.exportFields(sizeBytes, flags), padding]));
      return true;
    }
    if (number === structured.STRUCTURED_REPLY) this.#serveStructuredReply(data);
    else if (number === structured.LIST_META_CONTEXT || number === structured.SET_META_CONTEXT) {
      this.#serveContexts(number, data);
    } else if (number === wire.GO && !refuses) return this.#serveGo(data);
    else this.#send(wire.optionReply(number, wire.ERR_UNSUP));
    return false;
  }

  #serveStructuredReply(data: Buffer): void {
    if (data.length > 0) this.#server.report("the proxy sent data with STRUCTURED_REPLY");
    this.#structured = this.#offer.structured;
    const refusal = this.#random.pick([wire.ERR_UNSUP, wire.ERR_UNSUP, wire.ERR_POLICY, structured.ERR_INVALID]);
    this.#send(wire.optionReply(structured.STRUCTURED_REPLY, this.#structured ? wire.ACK : refusal));
  }

  #serveContexts(number: number, data: Buffer): void {
    const { report } = this.#server;
    const { exportName, queries } = structured.parseContextQuery(data);
    if (exportName !== "") report("the proxy asked for the contexts of another export");
    const selects = number === structured.SET_META_CONTEXT;
    if (selects) this.#contexts = new Map();
    if (!this.#structured) {
      report("the proxy asked for metadata contexts without structured replies");
      this.#send(wire.optionReply(number, structured.ERR_INVALID));
      return;
    }
    const all = !selects && queries.length === 0;
    const found = this.#offer.contexts.filter((name) => all || queries.includes(name));
    for (const name of found) {
      const id = this.#newId();
      if (selects) this.#contexts.set(id, name);
      this.#send(
        wire.optionReply(number, structured.REP_META_CONTEXT, structured.contextReply(selects ? id : 0, name)),
      );
    }
    this.#send(wire.optionReply(number, wire.ACK));
  }

  /** Small ones, so that the same means another context over the next connection, and large ones. */
  #newId(): number {
    for (;;) {
      const id = this.#random.integer(this.#random.pick([2, 3, 0x1_0000_0000]));
      if (!this.#contexts.has(id)) return id;
    }
  }

  #serveGo(data: Buffer): boolean {
    if (data.readUInt32BE(0) !== 0) this.#server.report("the proxy asked for another export");
    if (this.#manners.kind === "refusing") {
      this.#send(wire.optionReply(wire.GO, this.#random.pick([wire.ERR_POLICY, wire.ERR_SHUTDOWN])));
      return false;
    }
    const { sizeBytes, flags } = this.#export();
    const { maximumPayloadBytes } = this.#server.character;
    const preferredBytes = maximumPayloadBytes < 4096 ? 512 : 4096;
    const sizes = wire.infoBlockSize(1, preferredBytes, maximumPayloadBytes);
    for (const info of [wire.infoExport(sizeBytes, flags), sizes]) {
      this.#send(wire.optionReply(wire.GO, wire.REP_INFO, info));
    }
    this.#send(wire.optionReply(wire.GO, wire.ACK));
    return true;
  }

  /** What it calls the export; a stranger lies. */
  #export(): { sizeBytes: number; flags: number } {
    const { disk } = this.#server;
    const flags = this.#flags;
    if (this.#manners.kind !== "stranger") return { sizeBytes: disk.sizeBytes, flags };
    return this.#random.pick([
      { sizeBytes: disk.sizeBytes + disk.blockBytes, flags },
      { sizeBytes: disk.sizeBytes, flags: flags | wire.OFFERS.READ_ONLY },
      { sizeBytes: disk.sizeBytes, flags: flags & ~wire.OFFERS.FLUSH },
    ]);
  }
}
