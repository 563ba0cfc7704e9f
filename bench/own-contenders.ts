import type { Contender } from "./contender.ts";

/** A node binary. */
export interface NodeBinary {
  readonly path: string;
  /** As it tells it, such as `v20.1.0`. */
  readonly version: string;
}

/** A name, and the options or the path that it stands for. */
export interface Named {
  readonly name: string;
  readonly text: string;
}

/** What of ours is to be measured. */
export interface OwnPrograms {
  /** The built main.js. */
  readonly main: string;
  /** Options to run it with, beside running it without any. */
  readonly variants: readonly Named[];
  /** Other built main.js files. */
  readonly builds: readonly Named[];
  /** Everything runs under each of them. */
  readonly nodes: readonly NodeBinary[];
}

/** Our program in all the forms asked for. Which node it runs under is in the name if there are several. */
export function ownContenders({ main, variants, builds, nodes }: OwnPrograms): Contender[] {
  const forms = [
    { name: "flexnbd-proxy", main, options: "" },
    ...variants.map(({ name, text }) => ({ name: `flexnbd-proxy ${name}`, main, options: text })),
    ...builds.map(({ name, text }) => ({ name: `flexnbd-proxy ${name}`, main: text, options: "" })),
  ];
  return nodes.flatMap((node) =>
    forms.map((form): Contender => {
      const options = form.options.split(/\s+/).filter((word) => word !== "");
      return {
        name: nodes.length > 1 ? `${form.name} node ${node.version}` : form.name,
        role: "ours",
        handshake: "newstyle",
        command: (listenPort, serverPort) => [node.path, form.main, ...addresses(listenPort, serverPort), ...options],
      };
    }),
  );
}

/** The addresses as the original's manual has them, which ours takes as well. */
export function addresses(listenPort: number, serverPort: number): string[] {
  return ["-l", "127.0.0.1", "-p", String(listenPort), "-C", "127.0.0.1", "-P", String(serverPort)];
}
