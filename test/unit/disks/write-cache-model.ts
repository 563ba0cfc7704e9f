/** A write-like request to a segment of the disk. Moments count up; what has not happened yet is at Infinity. */
export interface Version {
  readonly value: number;
  readonly submitted: number;
  /** When it was answered, */
  ended: number;
  /** when it was answered with success, */
  done: number;
  /** and whether it is known to be stable since. */
  stable: boolean;
}

/** What a segment of a disk may hold, by what was asked and answered. */
export class SegmentModel {
  #versions: Version[] = [{ value: 0, submitted: -1, ended: -1, done: -1, stable: true }];

  written(version: Version): void {
    this.#versions.push(version);
  }

  /** A FLUSH that was submitted then was answered with success. */
  flushed(submitted: number): void {
    for (const version of this.#versions) if (version.done < submitted) version.stable = true;
  }

  /** Whether a READ that was submitted then may see the value now. */
  mayRead(value: number, submitted: number): boolean {
    return this.#may(value, (version) => version.done < submitted);
  }

  /** Whether the value may be what survives a power loss now. */
  maySurvive(value: number): boolean {
    return this.#may(value, (version) => version.stable);
  }

  /** After a power loss: there is nothing but what survived. */
  restart(value: number): void {
    this.#versions = [{ value, submitted: -1, ended: -1, done: -1, stable: true }];
  }

  /** Whether a version with the value is followed by none that is known to have taken its place. */
  #may(value: number, counts: (version: Version) => boolean): boolean {
    const replaced = (one: Version): boolean => this.#versions.some((two) => counts(two) && one.ended < two.submitted);
    return this.#versions.some((version) => version.value === value && !replaced(version));
  }
}
