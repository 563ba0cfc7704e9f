import type { Geometry } from "../../../src/protocol/geometry.ts";
import { expectThat } from "../support/fuzz-target.ts";

const LARGEST_PAYLOAD_BYTES = 32 * 1024 * 1024;

/** What must be true of every geometry that came out of a handshake, whatever the server said. */
export function checkGeometry(geometry: Geometry): void {
  const { sizeBytes, minimumBlockBytes, preferredBlockBytes, maximumPayloadBytes, name, description } = geometry;
  expectThat(Number.isSafeInteger(sizeBytes) && sizeBytes >= 0, `a size of ${sizeBytes}`);
  expectThat(isPowerOfTwo(minimumBlockBytes) && minimumBlockBytes <= 65_536, `a minimum of ${minimumBlockBytes}`);
  expectThat(isPowerOfTwo(preferredBlockBytes), `a preferred size of ${preferredBlockBytes}`);
  expectThat(preferredBlockBytes >= minimumBlockBytes, `a preferred size of ${preferredBlockBytes}`);
  const fits = maximumPayloadBytes > 0 && maximumPayloadBytes <= LARGEST_PAYLOAD_BYTES;
  expectThat(fits && maximumPayloadBytes % minimumBlockBytes === 0, `a maximum of ${maximumPayloadBytes}`);
  expectThat(Buffer.byteLength(name) <= 4096 && Buffer.byteLength(description) <= 4096, "a long text");
  expectThat(!name.includes("\0") && !description.includes("\0"), "a text with NUL");
  const { oldstyleHello, contexts } = geometry;
  expectThat(new Set(contexts).size === contexts.length, "a context twice");
  for (const context of contexts) {
    expectThat(Buffer.byteLength(context) <= 4096 && /^[^:]+:/u.test(context), `a context called ${context}`);
    expectThat(!context.includes("\0") && !/\p{Cs}/u.test(context), "a context that is no text");
  }
  expectThat(oldstyleHello === undefined || oldstyleHello.length === 152, "an old-style hello of another length");
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(Math.log2(value));
}
