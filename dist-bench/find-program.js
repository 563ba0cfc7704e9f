import { accessSync, constants, statSync } from "node:fs";
import { delimiter, resolve } from "node:path";
/** Where a program is: at its path if it is given as one, or else somewhere in PATH; undefined when nowhere. */
export function findProgram(name) {
    const folders = name.includes("/") ? ["."] : (process.env["PATH"] ?? "").split(delimiter);
    return folders.map((folder) => resolve(folder, name)).find(isProgram);
}
function isProgram(path) {
    try {
        accessSync(path, constants.X_OK);
        return statSync(path).isFile();
    }
    catch {
        return false;
    }
}
//# sourceMappingURL=find-program.js.map