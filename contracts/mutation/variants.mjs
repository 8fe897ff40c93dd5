// Tries mutants of libraries and of what tests inherit: many at a time, each with its own copy of sources and tests
// beside the others, because most of the time goes into starting the compiler and reading what they share.
import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { closure, contracts, fail, hash, read, runNicely, testsOf } from "./project.mjs";

const BATCH_SECS_MAX = 900;

/**
 * A project with several variants of the sources and tests of a set, side by side: one compilation reads what they
 * share once, and writes each. `variants` maps numbers to mutants, 0 to none. Most of the time goes into the compiler.
 */
function makeScratch(folder, tests, variants) {
  const root = join(folder, hash(tests));
  const to = join(root, "contracts");
  rmSync(join(to, "variants"), { recursive: true, force: true });
  cpSync(join(contracts, "tools"), join(to, "tools"), { recursive: true });
  writeFileSync(join(to, "foundry.toml"), read("foundry.toml"));
  cpSync(join(contracts, "..", "tests", "vectors"), join(root, "tests", "vectors"), { recursive: true });
  if (!existsSync(join(to, "node_modules"))) symlinkSync(join(contracts, "node_modules"), join(to, "node_modules"));
  const files = closure(testsOf(tests));
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

function forge(scratch, { program, fuzzRuns }, optimize) {
  const env = {
    FOUNDRY_SRC: "variants",
    FOUNDRY_TEST: "variants",
    FOUNDRY_OPTIMIZER: String(optimize),
    FOUNDRY_DENY: "never", // a mutant may leave a variable unused
    FOUNDRY_LINT_LINT_ON_BUILD: "false",
    FOUNDRY_FUZZ_RUNS: fuzzRuns,
    FOUNDRY_INVARIANT_RUNS: "4",
  };
  const built = join(scratch, "built", String(optimize));
  const args = ["test", "--color", "never", "--out", join(built, "out"), "--cache-path", join(built, "cache")];
  return runNicely(program, args, { cwd: scratch, env, secsMax: BATCH_SECS_MAX });
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
export async function tryBatch(runner, mutants, tests) {
  const outcomes = new Map();
  for (;;) {
    const open = mutants.filter((mutant) => !outcomes.has(mutant.id));
    if (!open.length) break;
    // A mutant keeps its number when others are left out: nothing is compiled twice for that.
    const variants = new Map([[0, undefined], ...open.map((mutant) => [mutants.indexOf(mutant) + 1, mutant])]);
    const { output, late } = await forge(makeScratch(runner.scratch, tests, variants), runner, optimized.has(tests));
    if (late && open.length === 1) outcomes.set(open[0].id, { outcome: "killed", by: "time", tests });
    if (late) {
      // One of them hangs: alone, each is known by its time.
      for (const mutant of open.length > 1 ? open : [])
        outcomes.set(mutant.id, (await tryBatch(runner, [mutant], tests))[0]);
      continue;
    }
    if (open.length > 1 && /memory access out of bounds|out of memory/.test(output)) {
      const half = Math.ceil(open.length / 2);
      for (const part of [open.slice(0, half), open.slice(half)]) {
        const found = await tryBatch(runner, part, tests);
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
