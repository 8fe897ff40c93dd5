// Tries mutants of what is deployed: the tests are compiled once, and each mutant's contracts are compiled alone and
// put where the tests look for the shipped bytecode (SURETY_SHIPPED=true, test/Build.sol).
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { closure, contracts, fail, hash, importsIn, read, runNicely, sources, testsOf } from "./project.mjs";

const COMPILE_SECS_MAX = 600;
const TEST_SECS_MAX = 900;

/** Names of the contracts that are deployed and that a source is part of. */
export function deployablesOf(file) {
  return sources("src")
    .filter((source) => dirname(source) === "src" && closure([source]).includes(file))
    .map((source) => basename(source, ".sol"));
}

/** Standard JSON that compiles one deployed contract, with a mutant in its place or none. */
function inputFor(name, mutant, optimizer) {
  const main = `src/${name}.sol`;
  const found = {};
  const open = [main];
  for (const file of open) {
    if (found[file]) continue;
    const library = file.startsWith("@");
    const content = library
      ? readFileSync(join(contracts, "node_modules", file), "utf8")
      : file === mutant?.file
        ? mutant.mutated
        : read(file);
    found[file] = { content };
    for (const path of importsIn(content)) open.push(path.startsWith(".") ? join(dirname(file), path) : path);
  }
  return JSON.stringify({
    language: "Solidity",
    sources: found,
    settings: {
      optimizer: { enabled: optimizer, runs: 200 },
      evmVersion: "cancun",
      metadata: { bytecodeHash: "none", appendCBOR: false },
      outputSelection: { [main]: { [name]: ["evm.bytecode.object"] } },
    },
  });
}

/** Creation code of a contract with a mutant in it, or why it does not compile: { object } or { error }. */
async function compile(name, mutant, optimizer) {
  const input = inputFor(name, mutant, optimizer);
  const { output, late } = await runNicely(join(contracts, "tools", "solc"), ["--standard-json"], {
    cwd: contracts,
    secsMax: COMPILE_SECS_MAX,
    input,
  });
  if (late) return { error: "the compiler ran out of time" };
  const answer = JSON.parse(output);
  const error = answer.errors?.find((found) => found.severity === "error");
  return error ? { error: error.message } : { object: answer.contracts[`src/${name}.sol`][name].evm.bytecode.object };
}

/** A copy of the project whose tests of one set are compiled, and its artifacts free to be replaced. */
export class Bench {
  constructor({ program, scratch, tests, fuzzRuns, number, built }) {
    this.program = program;
    this.tests = tests;
    this.fuzzRuns = fuzzRuns;
    this.root = join(scratch, `deployed-${hash(tests)}-${number}`, "contracts");
    rmSync(this.root, { recursive: true, force: true });
    mkdirSync(this.root, { recursive: true });
    for (const file of closure(testsOf(tests))) {
      mkdirSync(dirname(join(this.root, file)), { recursive: true });
      writeFileSync(join(this.root, file), read(file));
    }
    for (const part of ["tools", "foundry.toml", "artifacts"])
      cpSync(join(contracts, part), join(this.root, part), { recursive: true });
    cpSync(join(contracts, "..", "tests", "vectors"), join(this.root, "..", "tests", "vectors"), { recursive: true });
    symlinkSync(join(contracts, "node_modules"), join(this.root, "node_modules"));
    for (const part of built ? ["out", "cache"] : [])
      cpSync(join(built.root, part), join(this.root, part), { recursive: true });
  }

  /** Puts the contracts in place: undefined, or why they do not compile. */
  async place(names, mutant, optimizer) {
    for (const name of names) {
      const { object, error } = await compile(name, mutant, optimizer);
      if (error) return error;
      const path = join(this.root, "artifacts", `${name}.json`);
      const artifact = JSON.parse(readFileSync(path, "utf8"));
      artifact.bytecode.object = `0x${object}`;
      writeFileSync(path, JSON.stringify(artifact));
    }
  }

  /** Runs the set: { failed, late, by, output }. */
  async run() {
    const env = {
      SURETY_SHIPPED: "true",
      FOUNDRY_OPTIMIZER: "false",
      FOUNDRY_DENY: "never",
      FOUNDRY_LINT_LINT_ON_BUILD: "false",
      FOUNDRY_FUZZ_RUNS: this.fuzzRuns,
      FOUNDRY_INVARIANT_RUNS: "4",
    };
    const args = ["test", "--color", "never", "--fail-fast", "--match-path", this.tests];
    const ran = await runNicely(this.program, args, { cwd: this.root, env, secsMax: TEST_SECS_MAX });
    const by = /^\[FAIL.*\] (\w+)\(/m.exec(ran.output)?.[1];
    return { ...ran, by };
  }
}

/** Benches for one set of tests, all of them passing without any mutant; the optimizer is used only where needed. */
export class Deployed {
  constructor(options) {
    Object.assign(this, options);
    this.optimizer = false;
    this.benches = [];
  }

  /** Compiles the tests once, and sees them pass on unbroken contracts. */
  async open(file) {
    this.names = deployablesOf(file);
    const first = new Bench({ ...this, number: 0 });
    for (const optimizer of [false, true]) {
      this.optimizer = optimizer;
      const error = await first.place(this.names, undefined, optimizer);
      if (error) fail(`without any mutant, ${this.names.join(", ")} does not compile: ${error}`);
      const { failed, by, output } = await first.run();
      if (!failed) break;
      if (optimizer) fail(`without any mutant, ${this.tests} fails: ${by ?? output.slice(-3000)}`);
    }
    this.benches = [first];
    while (this.benches.length < this.jobs)
      this.benches.push(new Bench({ ...this, number: this.benches.length, built: first }));
  }

  /** Tries mutants, one a bench at a time, and gives each outcome as it comes. */
  async try(mutants, done) {
    const open = [...mutants];
    const work = async (bench) => {
      for (let mutant; (mutant = open.shift());) done(mutant, await this.tryOne(bench, mutant));
    };
    await Promise.all(this.benches.map(work));
  }

  async tryOne(bench, mutant) {
    const error = await bench.place(this.names, mutant, this.optimizer);
    if (error) return { outcome: "invalid", by: error };
    const { failed, late, by, output } = await bench.run();
    if (late) return { outcome: "killed", by: "time", tests: this.tests };
    if (failed && !by && !output.includes("[FAIL")) fail(`forge failed without a failing test: ${output.slice(-3000)}`);
    return failed ? { outcome: "killed", by: by ?? "setUp", tests: this.tests } : { outcome: "survived" };
  }
}

