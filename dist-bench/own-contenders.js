/** Our program in all the forms asked for. Which node it runs under is in the name if there are several. */
export function ownContenders({ main, variants, builds, nodes }) {
    const forms = [
        { name: "flexnbd-proxy", main, options: "" },
        ...variants.map(({ name, text }) => ({ name: `flexnbd-proxy ${name}`, main, options: text })),
        ...builds.map(({ name, text }) => ({ name: `flexnbd-proxy ${name}`, main: text, options: "" })),
    ];
    return nodes.flatMap((node) => forms.map((form) => {
        const options = form.options.split(/\s+/).filter((word) => word !== "");
        return {
            name: nodes.length > 1 ? `${form.name} node ${node.version}` : form.name,
            role: "ours",
            handshake: "newstyle",
            command: (listenPort, serverPort) => [node.path, form.main, ...addresses(listenPort, serverPort), ...options],
        };
    }));
}
/** The addresses as the original's manual has them, which ours takes as well. */
export function addresses(listenPort, serverPort) {
    return ["-l", "127.0.0.1", "-p", String(listenPort), "-C", "127.0.0.1", "-P", String(serverPort)];
}
//# sourceMappingURL=own-contenders.js.map