/** What a client asked for, block by block, and what it was told. Moments are places in one order of all events. */
export interface Operation {
  readonly number: number;
  readonly client: string;
  readonly kind: "read" | "status" | "write" | "zero" | "trim" | "flush";
  readonly block: number;
  readonly blocks: number;
  /** The value that a write-like one gives its blocks. */
  readonly value: number;
  /** A write-like one was asked to be on stable storage before it is answered. */
  readonly fua: boolean;
  readonly start: number;
  readonly startMs: number;
  /** Infinity while it is not answered. */
  end: number;
  endMs: number;
  error: number;
  /** The values of a read's blocks; of a status, what it told of each block from the first one on, perhaps of more than asked. */
  readonly results: number[];
  /** Unanswered, and yet it has to take effect by `end`: its client took leave politely. */
  promised: boolean;
}

/** All operations of one history, in the order in which they began, and the faults among them for those who read it. */
export class OperationHistory {
  readonly operations: Operation[] = [];
  readonly #nowMs: () => number;
  readonly #flushed: () => void;
  #moment = 0;
  #values = 1;
  #flushedBefore = 0;

  constructor(nowMs: () => number, flushed: () => void) {
    this.#nowMs = nowMs;
    this.#flushed = flushed;
  }

  /** A value that no write had before. */
  nextValue(): number {
    this.#values += 1;
    return this.#values;
  }

  /** Everything that was acknowledged before this moment was flushed since, as clients were told. */
  get flushedBefore(): number {
    return this.#flushedBefore;
  }

  begin(client: string, what: Pick<Operation, "kind" | "block" | "blocks" | "value" | "fua">): Operation {
    this.#moment += 1;
    const { kind, block, blocks, value, fua } = what;
    const operation: Operation = {
      kind,
      block,
      blocks,
      value,
      fua,
      number: this.operations.length + 1,
      client,
      start: this.#moment,
      startMs: this.#nowMs(),
      end: Infinity,
      endMs: Infinity,
      error: 0,
      results: [],
      promised: false,
    };
    this.operations.push(operation);
    return operation;
  }

  /** The client was answered. */
  finish(operation: Operation, error: number): void {
    this.#moment += 1;
    operation.end = this.#moment;
    operation.endMs = this.#nowMs();
    operation.error = error;
    if (operation.kind === "flush" && error === 0) {
      this.#flushedBefore = Math.max(this.#flushedBefore, operation.start);
      this.#flushed();
    }
  }

  /** Everything that had to be carried out has been by now. */
  keepPromises(): void {
    this.#moment += 1;
    for (const operation of this.operations) {
      if (operation.promised && operation.end === Infinity) operation.end = this.#moment;
    }
  }
}
