import type { Disk, DiskHandle, DiskRequest, DiskUser } from "../disk.ts";
import { COMMAND } from "../protocol/constants.ts";
import type { Geometry } from "../protocol/geometry.ts";
import { SplitRequest } from "./split-request.ts";

/**
 * A disk that takes READs and WRITEs of any length over one that has a maximum: longer ones go down in parts. Its geometry is
 * that of the disk below, maximum included, for those who care.
 */
export class SplittingDisk implements Disk {
  readonly #below: Disk;

  constructor(below: Disk) {
    this.#below = below;
  }

  get geometry(): Geometry {
    return this.#below.geometry;
  }

  attach(user: DiskUser): DiskHandle {
    const handle = this.#below.attach(user);
    // Good as long as there is a user: the disk below becomes no other one before they all have left.
    const partBytes = longestPart(this.#below.geometry);
    return {
      submit: (request) => {
        if (request.length > partBytes && isSplit(request)) new SplitRequest(request, partBytes).submit(handle);
        else handle.submit(request);
      },
      close: () => handle.close(),
    };
  }
}

function isSplit({ command }: DiskRequest): boolean {
  return command === COMMAND.READ || command === COMMAND.WRITE;
}

/** As long as a payload may be, in whole blocks; one block at least. */
function longestPart({ maximumPayloadBytes, minimumBlockBytes }: Geometry): number {
  return Math.max(minimumBlockBytes, maximumPayloadBytes - (maximumPayloadBytes % minimumBlockBytes));
}
