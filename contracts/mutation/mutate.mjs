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
//   --jobs N          mutants of deployed contracts tried at once (default 2)
//
// Each mutant is compiled in a scratch copy and given to the tests that targets.json names for its file, nearest
// first; the next set sees only what the one before let live. Tests of libraries are compiled with each mutant
// (variants.mjs); other tests are compiled once, and deploy each mutant's bytecode (deployed.mjs). `killed`: a test failed (or ran out of time).
// `survived`: none did. `invalid`: it does not compile. `equivalent`: survivors.md says why no test can tell.
// Exit status: 0 if nothing survived, 1 otherwise, 2 if the tests fail without any mutant.
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { Deployed, deployablesOf } from "./deployed.mjs";
import { enumsOf, mutantsOf } from "./operators.mjs";
import { contracts, fail, forgeProgram, hash, read, sources } from "./project.mjs";
import { tryBatch } from "./variants.mjs";

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
    jobs: { type: "string", default: "2" },
  },
});

/** What a result is a result of: the code, whatever its comments say. */
const codeOf = (file) =>
  hash(
    read(file)
      .replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\//g, "")
      .replace(/\s+/g, " "),
  );

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

function record(file, mutant, result, results) {
  const { id, line, name, operator, before, after } = mutant;
  results.set(id, result);
  appendFileSync(
    options.results,
    `${JSON.stringify({ id, file, of: codeOf(file), line, name, operator, before, after, ...result })}\n`,
  );
  if (result.outcome === "survived") console.log(show(mutant));
}

/** Tries mutants on one set of tests: { mutant, outcome } for each, as they come. */
async function trySet(runner, file, mutants, tests, done) {
  if (!/^test\/(libraries|vectors)\//.test(tests) && deployablesOf(file).length) {
    const deployed = new Deployed({ ...runner, tests });
    await deployed.open(file);
    return deployed.try(mutants, done);
  }
  for (let at = 0; at < mutants.length; at += runner.batch) {
    const batch = mutants.slice(at, at + runner.batch);
    const outcomes = await tryBatch(runner, batch, tests);
    for (const [index, mutant] of batch.entries()) done(mutant, outcomes[index]);
  }
}

/** Runs a file's mutants through its sets of tests; a set sees those that the one before let live. */
async function tryFile(runner, file, mutants, results) {
  let open = mutants;
  const sets = targets[file].slice(0, options.near ? 1 : undefined);
  for (const [turn, tests] of sets.entries()) {
    if (!open.length) break;
    const alive = [];
    const count = { killed: 0, survived: 0, invalid: 0 };
    const started = Date.now();
    await trySet(runner, file, open, tests, (mutant, outcome) => {
      count[outcome.outcome]++;
      if (outcome.outcome === "survived" && turn + 1 < sets.length) alive.push(mutant);
      else record(file, mutant, outcome, results);
    });
    console.log(`  ${tests}: ${Math.round((Date.now() - started) / 1000)} s, ${JSON.stringify(count)}`);
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
  const runner = {
    program: forgeProgram(options.forge),
    scratch: resolve(options.scratch),
    fuzzRuns: options["fuzz-runs"],
    batch: Number(options.batch),
    jobs: Number(options.jobs),
  };
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
    await tryFile(runner, file, open, results);
  }
}
process.exit(report(byFile, results, equivalent) ? 1 : 0);
