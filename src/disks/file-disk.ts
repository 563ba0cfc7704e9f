import type { Disk, DiskHandle, DiskRequest, DiskUser } from "../disk.ts";
import { LIMITS } from "../limits.ts";
import { NBD_ERROR } from "../protocol/constants.ts";
import type { Geometry } from "../protocol/geometry.ts";
import { complete } from "./commands.ts";
import { FileOperation } from "./file-operation.ts";
import { openFile } from "./open-file.ts";
import type { OpenFile } from "./open-file.ts";
import { servedGeometry } from "./served-geometry.ts";
import type { ServedOptions } from "./served-geometry.ts";

/** A disk in a regular file, as large as the file was when it was opened. */
export class FileDisk implements Disk {
  readonly geometry: Geometry;
  readonly #file: OpenFile;
  /** Requests that wait, in order; how many is bounded by those who submit. */
  #waiting: Waiting[] = [];
  #running = 0;
  #starting = false;
  #closing: { readonly promise: Promise<void>; readonly idle: () => void } | undefined;

  constructor(file: OpenFile, options: ServedOptions = {}) {
    this.#file = file;
    this.geometry = servedGeometry(file.sizeBytes, options, 0);
  }

  /** Opens the file at `path`. Rejects with `FileUnusable`. */
  static async open(path: string, options: ServedOptions = {}): Promise<FileDisk> {
    return new FileDisk(await openFile(path, options.readOnly === true), options);
  }

  attach(_user: DiskUser): DiskHandle {
    const user = { closed: false };
    return {
      submit: (request) => this.#submit(request, user),
      close: () => {
        user.closed = true;
        this.#dropAbandoned();
      },
    };
  }

  /** Ends what runs after its present step, drops the rest, then closes the file. */
  close(): Promise<void> {
    if (this.#closing === undefined) {
      let idle = (): void => undefined;
      const ended = new Promise<void>((resolve) => {
        idle = resolve;
      });
      this.#closing = { promise: ended.then(() => this.#file.close()), idle };
      this.#dropAbandoned();
      if (this.#running === 0) idle();
    }
    return this.#closing.promise;
  }

  #submit(request: DiskRequest, user: User): void {
    if (this.#isAbandoned(user)) return complete(request, NBD_ERROR.ESHUTDOWN);
    this.#waiting.push({ request, user });
    this.#startWaiting();
  }

  #startWaiting(): void {
    // An operation may end while it is started; the loop below then goes on, instead of one within it.
    if (this.#starting) return;
    this.#starting = true;
    while (this.#running < LIMITS.fileOperations) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      this.#running += 1;
      this.#start(next);
    }
    this.#starting = false;
  }

  #start({ request, user }: Waiting): void {
    const owner = {
      isAbandoned: () => this.#isAbandoned(user),
      ended: () => {
        this.#running -= 1;
        this.#startWaiting();
        if (this.#running === 0) this.#closing?.idle();
      },
    };
    new FileOperation(this.#file, owner, request).start();
  }

  #dropAbandoned(): void {
    const dropped = this.#waiting.filter(({ user }) => this.#isAbandoned(user));
    this.#waiting = this.#waiting.filter(({ user }) => !this.#isAbandoned(user));
    for (const { request } of dropped) complete(request, NBD_ERROR.ESHUTDOWN);
  }

  #isAbandoned(user: User): boolean {
    return user.closed || this.#closing !== undefined;
  }
}

interface User {
  closed: boolean;
}

interface Waiting {
  readonly request: DiskRequest;
  readonly user: User;
}
