// The project as mutation testing sees it: its files, what imports what, and how forge is run on a copy.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const contracts = resolve(dirname(fileURLToPath(import.meta.url)), "..");

export function fail(message) {
  console.error(`error: ${message}`);
  process.exit(2);
}

export const read = (file) => readFileSync(join(contracts, file), "utf8");
export const hash = (text) => createHash("sha256").update(text).digest("hex").slice(0, 16);

export function sources(folder) {
  return readdirSync(join(contracts, folder), { recursive: true })
    .filter((name) => name.endsWith(".sol"))
    .map((name) => join(folder, name));
}

/** What a source names in its imports, as written. */
export const importsIn = (text) =>
  [...text.matchAll(/^\s*(?:import|\})[^;"]*"([^"]+)";/gm)].map(([, path]) => path);

/** Files given, and all files of this project that they import. */
export function closure(files) {
  const found = [...files];
  for (const file of found) {
    for (const path of importsIn(read(file)).filter((path) => path.startsWith("."))) {
      const imported = join(dirname(file), path);
      if (!found.includes(imported)) found.push(imported);
    }
  }
  return found;
}

/** The files that a pattern of targets.json names: `*` and `{a,b}`. */
export function testsOf(pattern) {
  const glob = new RegExp(
    `^${pattern
      .replaceAll(".", "\\.")
      .replaceAll("*", "[^/]*")
      .replace(/\{([^}]*)\}/, (_, names) => `(${names.replaceAll(",", "|")})`)}$`,
  );
  const files = sources("test").filter((file) => glob.test(file));
  return files.length ? files : fail(`mutation/targets.json names ${pattern}, and no test matches`);
}

/** The program itself: npm's wrapper round it exits 0 whatever forge says. */
export function forgeProgram(given) {
  if (given) return resolve(given);
  const scope = join(contracts, "node_modules", "@foundry-rs");
  const name =
    existsSync(scope) &&
    readdirSync(scope).find((entry) => /^forge-\w+/.test(entry) && existsSync(join(scope, entry, "bin", "forge")));
  return name
    ? join(scope, name, "bin", "forge")
    : fail("forge is not there: run npm install in contracts/, or scripts/mutate, which does");
}

/** Runs a program at low priority, for a bounded time: { output, late, failed }. */
export function runNicely(program, args, { cwd, env, secsMax, input }) {
  return new Promise((done) => {
    const child = spawn("nice", ["-n", "10", program, ...args], {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    let output = "";
    let late = false;
    const timer = setTimeout(() => ((late = true), child.kill("SIGKILL")), secsMax * 1000);
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
    child.stdin.on("error", () => {}); // a program that ended early says why on its own
    child.stdin.end(input ?? "");
    child.on("close", (status) => (clearTimeout(timer), done({ output, late, failed: status !== 0 })));
  });
}
