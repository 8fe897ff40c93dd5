#!/usr/bin/env node
// Mutation testing: breaks the contracts one small change at a time and asks whether a test notices.
//
//   node contracts/mutation/mutate.mjs [FILE...] [options]     (FILE: a source, as in targets.json; none: all of them)
//
//   --list            print the mutants and stop
//   --report          print the score and the survivors of the results there are, and stop
//   --count N         try at most N mutants a file, drawn by --seed
//   --seed N          what draws them (default 1)
//   --id ID           try this one, whatever is on record
//   --results FILE    where results are kept, one JSON line each; a run takes up where the last one stopped, and tries
//                     survivors again
//   --scratch DIR     where copies are made and built
//   --forge PATH      forge (default: the pinned one under node_modules)
//   --near            only the nearest set of tests
//   --fuzz-runs N     runs of each fuzz test (default 64)
//   --batch N         mutants compiled together (default 16); halved where the compiler runs out of memory
//
// Each mutant is compiled in a scratch copy and given to the tests that targets.json names for its file, nearest
// first; the next set sees only what the one before let live. `killed`: a test failed (or ran out of time).
// `survived`: none did. `invalid`: it does not compile. `equivalent`: survivors.md says why no test can tell.
// Exit status: 0 if nothing survived, 1 otherwise, 2 if the tests fail without any mutant.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { enumsOf, mutantsOf } from "./operators.mjs";

const BATCH_SECS_MAX = 900;
const contracts = resolve(dirname(fileURLToPath(import.meta.url)), "..");

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: "boolean" },
    report: { type: "boolean" },
    count: { type: "string", default: "1000000" },
    seed: { type: "string", default: "1" },
    id: { type: "string" },
    results: { type: "string", default: join(tmpdir(), "surety-mutation", "results.jsonl") },
    scratch: { type: "string", default: join(tmpdir(), "surety-mutation", "scratch") },
    forge: { type: "string" },
    near: { type: "boolean" },
    "fuzz-runs": { type: "string", default: "64" },
    batch: { type: "string", default: "16" },
  },
});

function fail(message) {
  console.error(`error: ${message}`);
  process.exit(2);
}

const read = (file) => readFileSync(join(contracts, file), "utf8");
const hash = (text) => createHash("sha256").update(text).digest("hex").slice(0, 16);

/** What a result is a result of: the code, whatever its comments say. */
const codeOf = (file) =>
  hash(
    read(file)
      .replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\//g, "")
      .replace(/\s+/g, " "),
  );

function sources(folder) {
  return readdirSync(join(contracts, folder), { recursive: true })
    .filter((name) => name.endsWith(".sol"))
    .map((name) => join(folder, name));
}

/** The ids that survivors.md calls equivalent, each in a table row of its own. */
function equivalents() {
  const path = join(contracts, "mutation", "survivors.md");
  if (!existsSync(path)) return new Set();
  return new Set([...readFileSync(path, "utf8").matchAll(/^\| `([0-9a-f]{8})` \|/gm)].map((match) => match[1]));
}

/** The same order for the same seed, on any machine: by hash of seed and id. */
function drawn(mutants, count, seed) {
  const order = (mutant) => hash(`${seed}:${mutant.id}`);
  return mutants
    .toSorted((a, b) => (order(a) < order(b) ? -1 : 1))
    .slice(0, count)
    .toSorted((a, b) => a.line - b.line);
}

/* RUNNING */

function forgeProgram() {
  if (options.forge) return resolve(options.forge);
  // The program itself: npm's wrapper round it exits 0 whatever forge says.
  const scope = join(contracts, "node_modules", "@foundry-rs");
  const name =
    existsSync(scope) &&
    readdirSync(scope).find((entry) => /^forge-\w+/.test(entry) && existsSync(join(scope, entry, "bin", "forge")));
  return name
    ? join(scope, name, "bin", "forge")
    : fail("forge is not there: run npm install in contracts/, or scripts/mutate, which does");
}

/** The files that a set of tests is made of: what the pattern names, and all that those import. */
function closure(tests) {
  const glob = new RegExp(
    `^${tests
      .replaceAll(".", "\\.")
      .replaceAll("*", "[^/]*")
      .replace(/\{([^}]*)\}/, (_, names) => `(${names.replaceAll(",", "|")})`)}$`,
  );
  const files = sources("test").filter((file) => glob.test(file));
  if (!files.length) fail(`mutation/targets.json names ${tests}, and no test matches`);
  for (const file of files) {
    for (const [, path] of read(file).matchAll(/^\s*(?:import|\})[^;"]*"(\.[^"]+)";/gm)) {
      const imported = join(dirname(file), path);
      if (!files.includes(imported)) files.push(imported);
    }
  }
  return files;
}

/**
 * A project with several variants of the sources and tests of a set, side by side: one compilation reads what they
 * share once, and writes each. `variants` maps numbers to mutants, 0 to none. Most of the time goes into the compiler.
 */
function makeScratch(tests, variants) {
  const root = join(resolve(options.scratch), hash(tests));
  const to = join(root, "contracts");
  rmSync(join(to, "variants"), { recursive: true, force: true });
  cpSync(join(contracts, "tools"), join(to, "tools"), { recursive: true });
  writeFileSync(join(to, "foundry.toml"), read("foundry.toml"));
  cpSync(join(contracts, "..", "tests", "vectors"), join(root, "tests", "vectors"), { recursive: true });
  if (!existsSync(join(to, "node_modules"))) symlinkSync(join(contracts, "node_modules"), join(to, "node_modules"));
  const files = closure(tests);
  for (const [index, mutant] of variants) {
    for (const file of files) {
      const path = join(to, "variants", `v${index}`, file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, file === mutant?.file ? mutant.mutated : read(file));
    }
    if (mutant && !files.includes(mutant.file))
      fail(`mutation/targets.json gives ${tests} to ${mutant.file}, which they do not import`);
  }
  return to;
}

function forge(scratch, program, optimize) {
  const env = {
    ...process.env,
    FOUNDRY_SRC: "variants",
    FOUNDRY_TEST: "variants",
    FOUNDRY_OPTIMIZER: String(optimize),
    FOUNDRY_DENY: "never", // a mutant may leave a variable unused
    FOUNDRY_LINT_LINT_ON_BUILD: "false",
    FOUNDRY_FUZZ_RUNS: options["fuzz-runs"],
    FOUNDRY_INVARIANT_RUNS: "4",
  };
  const built = join(scratch, "built", String(optimize));
  const args = ["test", "--color", "never", "--out", join(built, "out"), "--cache-path", join(built, "cache")];
  return new Promise((done) => {
    const child = spawn("nice", ["-n", "10", program, ...args], {
      cwd: scratch,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    let late = false;
    const timer = setTimeout(() => ((late = true), child.kill("SIGKILL")), BATCH_SECS_MAX * 1000);
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
    child.on("close", () => (clearTimeout(timer), done({ output, late })));
  });
}

/** Which variants do not compile, and why: { index: message }. */
function invalidIn(output) {
  const found = new Map();
  for (const block of output.split(/\n(?=Error)/)) {
    const [message, at] = [block.split("\n")[0], /--> variants\/v(\d+)\//.exec(block)];
    if (message.startsWith("Error") && at) found.set(Number(at[1]), message);
  }
  return found;
}

/** Which variants failed a test, and the first one: { index: test }; and which had tests at all. */
function failuresIn(output) {
  const failed = new Map();
  const ran = new Set();
  let index;
  for (const line of output.split("\n")) {
    const suite = /^Ran \d+ tests? for variants\/v(\d+)\//.exec(line);
    if (suite) ran.add((index = Number(suite[1])));
    const test = /^\[FAIL.*\] (\w+)\(/.exec(line);
    if (test && !failed.has(index)) failed.set(index, test[1]);
    if (line.startsWith("Ran ") && line.includes(" test suite")) break; // a summary repeats the failures
  }
  return { failed, ran };
}

const optimized = new Set();

/** Tries mutants together on one set of tests: outcomes in the same order. */
async function tryBatch(program, mutants, tests) {
  const outcomes = new Map();
  for (;;) {
    const open = mutants.filter((mutant) => !outcomes.has(mutant.id));
    if (!open.length) break;
    // A mutant keeps its number when others are left out: nothing is compiled twice for that.
    const variants = new Map([[0, undefined], ...open.map((mutant) => [mutants.indexOf(mutant) + 1, mutant])]);
    const { output, late } = await forge(makeScratch(tests, variants), program, optimized.has(tests));
    if (late && open.length === 1) outcomes.set(open[0].id, { outcome: "killed", by: "time", tests });
    if (late) {
      // One of them hangs: alone, each is known by its time.
      for (const mutant of open.length > 1 ? open : [])
        outcomes.set(mutant.id, (await tryBatch(program, [mutant], tests))[0]);
      continue;
    }
    if (open.length > 1 && /memory access out of bounds|out of memory/.test(output)) {
      const half = Math.ceil(open.length / 2);
      for (const part of [open.slice(0, half), open.slice(half)]) {
        const found = await tryBatch(program, part, tests);
        for (const [index, mutant] of part.entries()) outcomes.set(mutant.id, found[index]);
      }
      continue;
    }
    const invalid = invalidIn(output);
    for (const [index, by] of invalid) if (index) outcomes.set(variants.get(index).id, { outcome: "invalid", by });
    if (invalid.size && !invalid.has(0)) continue;
    const { failed, ran } = failuresIn(output);
    if ((failed.has(0) || invalid.has(0) || !ran.has(0)) && !optimized.has(tests)) {
      optimized.add(tests); // some tests measure gas, and some contracts are too large otherwise
      continue;
    }
    if (failed.has(0) || !ran.has(0))
      fail(`without any mutant, ${tests} fails: ${failed.get(0) ?? output.slice(-3000)}`);
    for (const [index, mutant] of variants) {
      if (!mutant) continue;
      const by = failed.get(index);
      outcomes.set(
        mutant.id,
        by ? { outcome: "killed", by, tests } : { outcome: ran.has(index) ? "survived" : "invalid" },
      );
    }
  }
  return mutants.map((mutant) => outcomes.get(mutant.id));
}

function record(file, mutant, result, results) {
  const { id, line, name, operator, before, after } = mutant;
  results.set(id, result);
  appendFileSync(
    options.results,
    `${JSON.stringify({ id, file, of: codeOf(file), line, name, operator, before, after, ...result })}\n`,
  );
  if (result.outcome === "survived") console.log(show(mutant));
}

/** Runs a file's mutants through its sets of tests; a set sees those that the one before let live. */
async function tryFile(program, file, mutants, results) {
  const size = Number(options.batch);
  let open = mutants;
  const sets = targets[file].slice(0, options.near ? 1 : undefined);
  for (const [turn, tests] of sets.entries()) {
    const alive = [];
    for (let at = 0; at < open.length; at += size) {
      const batch = open.slice(at, at + size);
      const started = Date.now();
      const outcomes = await tryBatch(program, batch, tests);
      const count = { killed: 0, survived: 0, invalid: 0 };
      for (const [index, mutant] of batch.entries()) {
        count[outcomes[index].outcome]++;
        if (outcomes[index].outcome === "survived" && turn + 1 < sets.length) alive.push(mutant);
        else record(file, mutant, outcomes[index], results);
      }
      const secs = Math.round((Date.now() - started) / 1000);
      console.log(
        `  ${tests} [${Math.min(at + size, open.length)}/${open.length}] ${secs} s: ${JSON.stringify(count)}`,
      );
    }
    open = alive;
  }
}

/* REPORT */

function show(mutant) {
  const { id, file, line, name, operator, before, after } = mutant;
  return `  ${id}  ${file}:${line} ${name} (${operator})\n    - ${before}\n    + ${after}`;
}

function report(byFile, results, equivalent) {
  const total = { killed: 0, survived: 0, invalid: 0, equivalent: 0, untried: 0 };
  const survivors = [];
  const score = ({ killed, survived }) =>
    killed + survived ? `${((100 * killed) / (killed + survived)).toFixed(1)} %` : "-";
  const columns = (name, cells, last) =>
    console.log(`${name.padEnd(32)} ${cells.map((cell) => String(cell).padStart(8)).join(" ")} ${last.padStart(8)}`);
  const row = (name, c) => columns(name, [c.killed, c.survived, c.invalid, c.equivalent, c.untried], score(c));
  columns("file", ["killed", "survived", "invalid", "equival.", "untried"], "score");
  for (const [file, mutants] of byFile) {
    const counts = { killed: 0, survived: 0, invalid: 0, equivalent: 0, untried: 0 };
    for (const mutant of mutants) {
      // Found killed all the same: then it is not equivalent, and survivors.md is wrong.
      const outcome = results.get(mutant.id)?.outcome ?? "untried";
      if (equivalent.has(mutant.id) && outcome === "killed")
        console.log(`survivors.md calls ${mutant.id} equivalent, but ${results.get(mutant.id).by} kills it`);
      const counted = equivalent.has(mutant.id) && outcome !== "killed" ? "equivalent" : outcome;
      counts[counted]++;
      total[counted]++;
      if (counted === "survived") survivors.push(mutant);
    }
    row(file, counts);
  }
  row("all", total);
  if (survivors.length) console.log(`\nsurvivors:\n${survivors.map(show).join("\n")}`);
  return survivors.length;
}

/* MAIN */

const targets = JSON.parse(read("mutation/targets.json"));
const files = positionals.length ? positionals : Object.keys(targets);
for (const file of files)
  if (!targets[file]) fail(`${file} is not in mutation/targets.json; there are: ${Object.keys(targets).join(", ")}`);
const enums = enumsOf(sources("src").map(read));
const byFile = new Map(files.map((file) => [file, mutantsOf(file, read(file), enums)]));
const equivalent = equivalents();

// A result counts while its code is as it was.
mkdirSync(dirname(resolve(options.results)), { recursive: true });
const results = new Map();
if (existsSync(options.results)) {
  for (const line of readFileSync(options.results, "utf8").split("\n").filter(Boolean)) {
    const result = JSON.parse(line);
    if (byFile.has(result.file) && result.of === codeOf(result.file)) results.set(result.id, result);
  }
}

if (options.list) {
  for (const mutants of byFile.values()) for (const mutant of mutants) console.log(show(mutant));
  process.exit(0);
}
if (!options.report) {
  const program = forgeProgram();
  for (const [file, mutants] of byFile) {
    const wanted = options.id
      ? mutants.filter((mutant) => mutant.id === options.id)
      : drawn(mutants, Number(options.count), options.seed);
    const open = wanted.filter(
      (mutant) =>
        options.id || (!equivalent.has(mutant.id) && (results.get(mutant.id)?.outcome ?? "survived") === "survived"),
    );
    console.log(`${file}: ${mutants.length} mutants, ${open.length} to try`);
    if (!open.length) continue;
    await tryFile(program, file, open, results);
  }
}
process.exit(report(byFile, results, equivalent) ? 1 : 0);
