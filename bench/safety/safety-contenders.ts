import type { Contender } from "../contender.ts";
import { addresses } from "../own-contenders.ts";
import type { NodeBinary } from "../own-contenders.ts";
import { DEFAULTS, SAFETY_FEATURES } from "./safety-feature.ts";

/** A contender of the trial of safety. */
export interface SafetyContender extends Contender {
  /** The name of the one that it is compared with. */
  readonly base: string;
}

/** No proxy at all, before both kinds of server, and ours with every feature under every node. */
export function safetyContenders(main: string, nodes: readonly NodeBinary[]): SafetyContender[] {
  const direct = { role: "direct", command: undefined } as const;
  return [
    { ...direct, name: "direct", base: "direct", handshake: "newstyle" },
    { ...direct, name: "direct, simple", base: "direct", handshake: "newstyle-simple" },
    ...nodes.flatMap((node) => {
      const under = nodes.length > 1 ? ` node ${node.version}` : "";
      return SAFETY_FEATURES.map(({ name, options, handshake }): SafetyContender => {
        return {
          name: name + under,
          role: "ours",
          base: DEFAULTS + under,
          handshake,
          command: (listenPort, serverPort) => [node.path, main, ...addresses(listenPort, serverPort), ...options],
        };
      });
    }),
  ];
}
