import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import type { AnyOption, CommandName } from "../../../src/cli/option.ts";
import { OPTION_TABLE } from "../../../src/cli/option-table.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const README = readText("README.md");
const PAGES = ["README.md", "CHANGELOG.md", ...pagesUnder("docs")];

const OPTIONS: readonly AnyOption[] = Object.values(OPTION_TABLE);

/** An option as the README shows it. */
interface Shown {
  readonly option: string;
  readonly default: string;
}

describe("the options in the README", () => {
  it.each([
    ["proxy", "flexnbd-proxy"],
    ["serve", "flexnbd-proxy serve"],
  ] as const)("are those of the option table, with their defaults, for the command %s", (command, heading) => {
    expect(byName(tableUnder(heading))).toEqual(byName(optionsOf(command)));
  });

  it("are all named for the demo, and no others", () => {
    const named = [...sectionOf("flexnbd-proxy demo").matchAll(/`--(?<long>[a-z-]+)`/g)].map(nameOf);
    expect(named.toSorted()).toEqual(
      OPTIONS.filter(({ meanings }) => meanings.demo)
        .map(({ long }) => long)
        .toSorted(),
    );
  });

  it("are all real ones wherever the page mentions one of this program", () => {
    // Options of other programs stand behind those programs' names, in the same piece of code.
    const ours = [...README.matchAll(/(?<!`)`(?<code>--?[^`\n]+)`(?!`)/g)].map((match) => match.groups?.["code"] ?? "");
    const known = OPTIONS.flatMap(({ long, short }) =>
      short === undefined ? [`--${long}`] : [`--${long}`, `-${short}`],
    );
    const strangers = ours.map((code) => code.split(/[ =]/, 1)[0] ?? "").filter((word) => !known.includes(word));
    expect(strangers).toEqual([]);
  });

  it("have the environment variables that the page names", () => {
    const named = [...README.matchAll(/FLEXNBD_[A-Z_]*[A-Z]/g)].map(([name]) => name);
    const known = OPTIONS.flatMap((option) => (option.kind === "flag" ? [] : [option.env]));
    const others = new Set(named.filter((name) => !known.includes(name)));
    expect(others).toEqual(new Set(["FLEXNBD_DEBUG"]));
  });
});

describe("the pages of the documentation", () => {
  it("are found", () => {
    expect(PAGES).toContain("docs/architecture.md");
    expect(PAGES.filter((page) => page.startsWith("docs/decisions/"))).not.toEqual([]);
  });

  it.each(PAGES)("link only to what exists: %s", (page) => {
    expect(linksOf(page).filter((link) => !leadsSomewhere(page, link))).toEqual([]);
  });

  it.each(PAGES)("name only files that exist: %s", (page) => {
    const named = [...readText(page).matchAll(/`(?<path>src\/[\w./-]+)`/g)].map(
      (match) => match.groups?.["path"] ?? "",
    );
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it("have every record of a decision in their list", () => {
    const listed = linksOf("docs/architecture.md").map((link) => `docs/${link}`);
    expect(PAGES.filter((page) => page.startsWith("docs/decisions/") && !listed.includes(page))).toEqual([]);
  });
});

function readText(page: string): string {
  return readFileSync(join(ROOT, page), "utf8");
}

/** All pages in a folder and the folders in it, relative to the root. */
function pagesUnder(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return pagesUnder(path);
      return entry.name.endsWith(".md") ? [path] : [];
    })
    .toSorted();
}

/** The README's text below a heading, up to the next one. */
function sectionOf(heading: string): string {
  const [, rest = ""] = README.split(`\n### ${heading}\n`);
  return rest.split(/^#+ /m, 1)[0] ?? "";
}

function tableUnder(heading: string): Shown[] {
  const rows = sectionOf(heading).matchAll(/^\| (?<option>`-.*?) \| (?<default>.*?)\|.*\|$/gm);
  return [...rows].map(({ groups }) => ({
    option: groups?.["option"] ?? "",
    default: (groups?.["default"] ?? "").trim(),
  }));
}

/** What the README should show of a command's options. */
function optionsOf(command: CommandName): Shown[] {
  return OPTIONS.flatMap((option) => {
    const meaning = option.meanings[command];
    if (meaning === undefined) return [];
    const short = option.short === undefined ? "" : `\`-${option.short}\`, `;
    const value = option.kind === "flag" ? "" : ` ${option.valueName}`;
    const standIn = meaning.default === undefined ? "" : `\`${meaning.default}\``;
    return [{ option: `${short}\`--${option.long}${value}\``, default: standIn }];
  });
}

function byName(shown: readonly Shown[]): Shown[] {
  return shown.toSorted((one, other) => one.option.localeCompare(other.option));
}

function nameOf(match: RegExpExecArray): string {
  return match.groups?.["long"] ?? "";
}

/** Where a page's links and pictures lead, without those to other sites. */
function linksOf(page: string): string[] {
  const links = [...readText(page).matchAll(/\]\((?<link>[^)\s]+)\)/g)].map((match) => match.groups?.["link"] ?? "");
  return links.filter((link) => !/^[a-z]+:/.test(link));
}

/** Whether a relative link leads to a file, and its fragment to a heading there. */
function leadsSomewhere(page: string, link: string): boolean {
  const [path = "", fragment] = link.split("#");
  const target = path === "" ? join(ROOT, page) : resolve(ROOT, dirname(page), path);
  if (!existsSync(target)) return false;
  return fragment === undefined || fragmentsOf(readFileSync(target, "utf8")).includes(fragment);
}

/** The names that headings get as link targets. */
function fragmentsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (?<heading>.+)$/gm)].map((match) =>
    (match.groups?.["heading"] ?? "")
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}
