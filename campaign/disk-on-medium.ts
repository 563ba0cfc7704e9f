import { open } from "node:fs/promises";
import { join } from "node:path";

import { BlockLedger } from "./block-ledger.ts";
import { BLOCK_BYTES } from "./block-tag.ts";
import { makeImage } from "./campaign-server.ts";
import type { Finding } from "./finding.ts";
import type { Ground } from "./ground.ts";

const PIECE_BLOCKS = 2048;

/** A disk in a file, and what is known about its content. */
export class DiskOnMedium {
  readonly path: string;
  readonly sizeBytes: number;
  readonly ledger: BlockLedger;
  readonly #ground: Ground;

  private constructor(ground: Ground, path: string, sizeBytes: number) {
    this.#ground = ground;
    this.path = path;
    this.sizeBytes = sizeBytes;
    this.ledger = new BlockLedger(sizeBytes / BLOCK_BYTES);
  }

  /** Makes one of zeros in the place of the one before. There is one at a time: the medium is small. */
  static async create(ground: Ground, sizeBytes: number): Promise<DiskOnMedium> {
    const path = join(ground.medium, "disk");
    await makeImage(ground, path, sizeBytes);
    return new DiskOnMedium(ground, path, sizeBytes);
  }

  /** Compares the file itself with what it must hold. No server may have it open. */
  async inspect(): Promise<Finding[]> {
    const findings: Finding[] = [];
    const file = await open(this.#ground.reach(this.path));
    try {
      for (let firstBlock = 0; firstBlock < this.ledger.blocks; firstBlock += PIECE_BLOCKS) {
        const blocks = Math.min(PIECE_BLOCKS, this.ledger.blocks - firstBlock);
        const read = this.ledger.begin({ kind: "read", firstBlock, blocks, fua: false });
        const data = Buffer.alloc(blocks * BLOCK_BYTES);
        await file.read(data, 0, data.length, firstBlock * BLOCK_BYTES);
        findings.push(...this.ledger.finish(read, 0, data));
      }
    } finally {
      await file.close();
    }
    return findings.map((finding) => ({ ...finding, text: `in the file: ${finding.text}` }));
  }
}
