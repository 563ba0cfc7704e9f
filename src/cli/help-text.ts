import { commanderCommand } from "./commander-command.ts";
import type { CommandName } from "./option.ts";

const NOTES: Readonly<Record<CommandName, string>> = {
  proxy: `
Commands:
  flexnbd-proxy demo     see it at work, with nothing else needed
  flexnbd-proxy serve    a small NBD server to try things against

Durations take ms, s or m; bare numbers are seconds. Sizes take K, M or G. An
option can also be given by the environment variable in brackets; the command
line wins.

Examples:
  Listen on this machine, for the server at 192.0.2.7:
    flexnbd-proxy -l 127.0.0.1 -p 10810 -C 192.0.2.7 -P 10809
  Listen on a UNIX socket, for one export of a server known by name:
    flexnbd-proxy -l /run/disk.sock --upstream nbd://storage.example/disk1
  Read ahead in 16 MiB of memory, for one server that has two addresses:
    flexnbd-proxy -l 127.0.0.1 -p 10810 --cache=16M \\
      --upstream nbd://192.0.2.7/disk1 --upstream nbd://198.51.100.7/disk1
`,
  serve: `
Sizes take K, M or G. An option can also be given by the environment variable in
brackets; the command line wins.

Examples:
  flexnbd-proxy serve --memory 256M
  flexnbd-proxy serve --file disk.img --addr /run/disk.sock
`,
  demo: `
Example:
  flexnbd-proxy demo
`,
};

/** The help on one command, ending in a newline: usage, options with their environment variables, examples. */
export function helpText(command: CommandName): string {
  return commanderCommand(command).helpInformation() + NOTES[command];
}
