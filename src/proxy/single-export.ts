import type { Disk, Exports } from "../disk.ts";
import type { ExportSummary } from "../protocol/export-summary.ts";

/** One disk under one name, which is also the default export. */
export class SingleExport implements Exports {
  readonly #name: string;
  readonly #disk: Disk;

  constructor(name: string, disk: Disk) {
    this.#name = name;
    this.#disk = disk;
  }

  list(): Promise<readonly ExportSummary[]> {
    return Promise.resolve([{ name: this.#name, description: this.#disk.geometry.description }]);
  }

  open(name: string): Promise<Disk | undefined> {
    return Promise.resolve(name === "" || name === this.#name ? this.#disk : undefined);
  }
}
