import { Command, InvalidArgumentError, Option } from "commander";
/** Reads the arguments. Throws a CommanderError when help was asked for, or after it was said what is wrong. */
export function parseBenchOptions(argv, output) {
    const command = new Command("npm run bench --")
        .description("Measures the proxy beside its peers, on one machine, in rounds that take turns.")
        .exitOverride()
        .configureOutput({ writeOut: (text) => output.out(text), writeErr: (text) => output.error(text) })
        .option("--rounds <count>", "how often each contender is measured", parseCount, 5)
        .option("--seconds <seconds>", "for how long each time", parseSeconds, 2.5)
        .option("--warmup <seconds>", "for how long each contender works before the first round", parseSeconds, 0.5)
        .addOption(new Option("--size-mib <count>", "the disk's size").argParser(parseCount).default(1024))
        .option("--workload <name>", "only those with these words in the name, or =NAME; repeatable", collect)
        .option("--contender <name>", "only those with these words in the name, or =NAME; repeatable", collect)
        .option("--node <path>", "run ours under this node; repeatable, all in one run", collect)
        .option("--variant <name:options>", "run ours with these options as well; repeatable", collectNamed)
        .option("--build <name:path>", "run another build's main.js as well; repeatable", collectNamed)
        .option("--json <file>", "write every figure there")
        .option("--list", "say which workloads and contenders there are, and do nothing")
        .parse(argv, { from: "user" });
    const given = command.opts();
    return {
        ...given,
        // Defaults that the help need not show.
        workload: given.workload ?? [],
        contender: given.contender ?? [],
        node: given.node ?? [],
        variant: given.variant ?? [],
        build: given.build ?? [],
        json: given.json,
        list: given.list ?? false,
    };
}
function parseCount(text) {
    if (!/^[1-9]\d{0,5}$/.test(text))
        throw new InvalidArgumentError("It must be a whole number, at least 1.");
    return Number(text);
}
function parseSeconds(text) {
    const seconds = Number(text);
    if (!/^[\d.]+$/.test(text) || !(seconds >= 0.1 && seconds <= 3600)) {
        throw new InvalidArgumentError("It must be a number of seconds, from 0.1 to 3600.");
    }
    return seconds;
}
function collect(text, before = []) {
    return [...before, text];
}
function collectNamed(text, before = []) {
    const { name, text: rest } = /^(?<name>[^:]+):(?<text>.+)$/s.exec(text)?.groups ?? {};
    if (name === undefined || rest === undefined)
        throw new InvalidArgumentError("It must be a name, a colon and the rest.");
    if (before.some((named) => named.name === name))
        throw new InvalidArgumentError("The name is taken.");
    return [...before, { name, text: rest }];
}
//# sourceMappingURL=bench-options.js.map