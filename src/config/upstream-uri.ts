import type { Endpoint } from "../ports/network.ts";
import { NbdUriError, parseNbdUri } from "../protocol/nbd-uri.ts";
import { checkSocketPathLength, parseServerAddress } from "./address.ts";
import { BadValue } from "./bad-value.ts";

/** A server and the name of one of its exports, "" being the default one. */
export interface UpstreamUri {
  readonly endpoint: Endpoint;
  readonly exportName: string;
}

/** Parses an NBD URI whose parts also stand the checks of the single options. Throws BadValue. */
export function parseUpstreamUri(text: string): UpstreamUri {
  const { endpoint, exportName } = parsed(text);
  try {
    if (endpoint.kind === "unix") checkSocketPathLength(endpoint.path);
    else parseServerAddress(endpoint.host);
  } catch (error) {
    if (!(error instanceof BadValue)) throw error;
    const part = endpoint.kind === "unix" ? endpoint.path : endpoint.host;
    throw new BadValue(`names ${JSON.stringify(part)}, which ${error.message}`, { cause: error });
  }
  return { endpoint, exportName };
}

function parsed(text: string): UpstreamUri {
  try {
    return parseNbdUri(text);
  } catch (error) {
    if (!(error instanceof NbdUriError)) throw error;
    throw new BadValue(`is not an NBD URI that can be used: ${error.message}`, { cause: error });
  }
}
