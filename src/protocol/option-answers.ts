import { INFO } from "./constants.ts";
import type { ExportSummary } from "./export-summary.ts";
import type { Geometry } from "./geometry.ts";
import type { ExportQuery } from "./option-export-query.ts";
import { encodeInformation } from "./option-information.ts";
import { encodeText } from "./option-text.ts";

/**
 * The data of each INFO reply to a query: size and flags always, the rest when asked for. A description that is empty
 * is none, and an export without a name of its own has the one that was asked for.
 */
export function answersTo({ exportName, informationTypes }: ExportQuery, geometry: Geometry): Buffer[] {
  const wanted = new Set(informationTypes);
  const answers = [encodeInformation({ type: INFO.EXPORT, sizeBytes: geometry.sizeBytes, flags: geometry.flags })];
  if (wanted.has(INFO.NAME)) {
    answers.push(encodeInformation({ type: INFO.NAME, text: geometry.name || exportName }));
  }
  if (wanted.has(INFO.DESCRIPTION) && geometry.description !== "") {
    answers.push(encodeInformation({ type: INFO.DESCRIPTION, text: geometry.description }));
  }
  if (wanted.has(INFO.BLOCK_SIZE)) {
    const { minimumBlockBytes: minimum, preferredBlockBytes: preferred, maximumPayloadBytes: maximum } = geometry;
    answers.push(encodeInformation({ type: INFO.BLOCK_SIZE, minimum, preferred, maximum }));
  }
  return answers;
}

/**
 * The data of a reply of type SERVER ("Option reply types").
 *
 *     0             4      4+n
 *     | name length | name | description …
 */
export function encodeExportSummary({ name, description }: ExportSummary): Buffer {
  const nameBytes = encodeText(name);
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32BE(nameBytes.length, 0);
  return Buffer.concat([length, nameBytes, encodeText(description)]);
}
