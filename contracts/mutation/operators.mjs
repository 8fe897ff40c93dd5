// What can be broken in a Solidity file: every mutant of its functions and constants, as text edits.
//
// Works on text, not on a syntax tree: comments and strings are blanked out first, positions stay. A mutant that does
// not compile costs a compiler run and is counted as invalid, so rules need not know types.
import { createHash } from "node:crypto";

/** Blanks out comments and the insides of strings, keeping every position. */
export function blank(source) {
  return source.replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"/g, (match) =>
    match[0] === '"' ? `"${" ".repeat(match.length - 2)}"` : match.replace(/[^\n]/g, " "),
  );
}

/** The position after the bracket that closes the one at `open`. */
function closing(code, open) {
  const pairs = { "(": ")", "{": "}", "[": "]" };
  const [up, down] = [code[open], pairs[code[open]]];
  for (let at = open, depth = 0; at < code.length; at++) {
    if (code[at] === up) depth++;
    else if (code[at] === down && --depth === 0) return at + 1;
  }
  throw new Error(`unbalanced ${up} at ${open}`);
}

/** Functions with bodies, and initialisers of constants: { name, head: [from, to], body: [from, to] }. */
export function regions(code) {
  const found = [];
  const heads = /\b(?:function\s+([\w]+)|(constructor)|modifier\s+(\w+))\s*(?=[({])/g;
  for (let match; (match = heads.exec(code));) {
    let at = match.index + match[0].length;
    if (code[at] === "(") at = closing(code, at);
    // The body, unless a semicolon comes first: then it is a declaration. Arguments of modifiers are skipped.
    while (at < code.length && code[at] !== "{" && code[at] !== ";") at = code[at] === "(" ? closing(code, at) : at + 1;
    if (code[at] !== "{") continue;
    const end = closing(code, at);
    found.push({ name: match[1] ?? match[2] ?? match[3], head: [match.index, at], body: [at + 1, end - 1] });
    heads.lastIndex = end;
  }
  const constants = /\bconstant\s+(\w+)\s*=\s*([^;]+);/g;
  for (let match; (match = constants.exec(code));) {
    const to = match.index + match[0].length - 1;
    found.push({ name: match[1], head: [to, to], body: [to - match[2].length, to] });
  }
  return found;
}

// [operator, pattern, replacements]; a pattern's first group, or all of it, is replaced.
const SWAPS = [
  ["arithmetic", /(?<=[\w)\]] )(\+)(?= )/g, ["-"]],
  ["arithmetic", /(?<=[\w)\]] )(-)(?= )/g, ["+"]],
  ["arithmetic", /(?<=[\w)\]] )(\*)(?= )/g, ["/"]],
  ["arithmetic", /(?<=[\w)\]] )(\/)(?= )/g, ["*"]],
  ["arithmetic", /(?<=[\w)\]] )(%)(?= )/g, ["*"]],
  ["arithmetic", /(?<= )(\+=)(?= )/g, ["-=", "="]],
  ["arithmetic", /(?<= )(-=)(?= )/g, ["+=", "="]],
  ["relational", /(?<= )(<)(?= )/g, ["<=", ">"]],
  ["relational", /(?<= )(<=)(?= )/g, ["<", "=="]],
  ["relational", /(?<= )(>)(?= )/g, [">=", "<"]],
  ["relational", /(?<= )(>=)(?= )/g, [">", "=="]],
  ["relational", /(?<= )(==)(?= )/g, ["!=", ">="]],
  ["relational", /(?<= )(!=)(?= )/g, ["=="]],
  ["logical", /(?<= )(&&)(?= )/g, ["||"]],
  ["logical", /(?<= )(\|\|)(?= )/g, ["&&"]],
  ["logical", /(?<=[ (])(!)(?=[\w(])/g, [""]],
  ["bitwise", /(?<= )(<<)(?= )/g, [">>"]],
  ["bitwise", /(?<= )(>>)(?= )/g, ["<<"]],
  ["bitwise", /(?<= )(&)(?= )/g, ["|"]],
  ["bitwise", /(?<= )(\|)(?= )/g, ["&"]],
  ["step", /(?<![\w)])(\+\+)(?=\w)/g, ["--"]],
  ["step", /(?<![\w)])(--)(?=\w)/g, ["++"]],
  ["boolean", /\b(true)\b/g, ["false"]],
  ["boolean", /\b(false)\b/g, ["true"]],
  ["constant", /\b(ZERO_RAO)\b/g, ["Rao.wrap(1)"]],
  ["rounding", /\b(bpsOfDown)\b(?=\()/g, ["bpsOfUp"]],
  ["rounding", /\b(bpsOfUp)\b(?=\()/g, ["bpsOfDown"]],
  ["extreme", /\b(minTime)\b(?=\()/g, ["maxTime"]],
  ["extreme", /\b(maxTime)\b(?=\()/g, ["minTime"]],
];

function* swaps(code, [from, to]) {
  for (const [operator, pattern, replacements] of SWAPS) {
    for (const match of code.slice(from, to).matchAll(pattern)) {
      for (const text of replacements)
        yield { operator, from: from + match.index, to: from + match.index + match[1].length, text };
    }
  }
}

/** Whole numbers, one up and one down. Not the bits of a type, not hex. */
function* constants(code, [from, to]) {
  for (const match of code.slice(from, to).matchAll(/(?<![\w.])(\d[\d_]*)(e\d+)?(?![\w.])/g)) {
    const at = from + match.index;
    const value = BigInt(match[1].replaceAll("_", ""));
    const up = match[2] ? `(${match[0]} + 1)` : `${value + 1n}`;
    yield { operator: "constant", from: at, to: at + match[0].length, text: up };
    if (value > 0n)
      yield {
        operator: "constant",
        from: at,
        to: at + match[0].length,
        text: match[2] ? `(${match[0]} - 1)` : `${value - 1n}`,
      };
  }
}

/** Conditions: negated, always, never. */
function* conditions(code, [from, to]) {
  for (const match of code.slice(from, to).matchAll(/\b(if|while)\s*(?=\()/g)) {
    const open = from + match.index + match[0].length;
    const close = closing(code, open);
    const condition = code.slice(open + 1, close - 1);
    for (const text of [`!(${condition})`, "true", "false"])
      yield { operator: "condition", from: open + 1, to: close - 1, text };
  }
  for (const match of code.slice(from, to).matchAll(/\? ([^?:;]+) : ([^?:;,]+?)(?=[;,\n]|\)+;)/g)) {
    const at = from + match.index;
    yield { operator: "condition", from: at, to: at + match[0].length, text: `? ${match[2]} : ${match[1]}` };
  }
}

/** The two arguments of a call, each in place of the smaller (or larger) of both. */
function* smaller(code, [from, to]) {
  for (const match of code.slice(from, to).matchAll(/\b(?:minRao|minTime|maxTime)(?=\()/g)) {
    const at = from + match.index;
    const end = closing(code, at + match[0].length);
    const inside = code.slice(at + match[0].length + 1, end - 1);
    let depth = 0;
    const comma = [...inside].findIndex(
      (c) => ((depth += "([".includes(c) - ")]".includes(c)), c === "," && depth === 0),
    );
    if (comma < 0) continue;
    for (const text of [inside.slice(0, comma), inside.slice(comma + 1).trim()])
      yield { operator: "extreme", from: at, to: end, text };
  }
}

const DECLARATION = new RegExp(
  String.raw`^(?:(?:mapping\b|\w+(?:\.\w+)*(?:\[\w*\])*)\s+(?:(?:memory|storage|calldata)\s+)?\w+\s*(?:=|$)` +
    String.raw`|\((?:\w[\w.]* \w+|,)|assembly\b)`,
);

/** Statements that are neither declarations nor blocks: left out. */
function* deletions(code, [from, to]) {
  let at = from;
  for (let i = from; i < to; i++) {
    if ("([".includes(code[i])) i = closing(code, i) - 1;
    else if (
      code[i] === "{" &&
      /[\w)]\s?$/.test(code.slice(at, i)) &&
      !/^\s*(if|for|while|else|unchecked|do)\b/.test(code.slice(at, i))
    )
      i = closing(code, i) - 1;
    else if ("{}".includes(code[i])) at = i + 1;
    else if (code[i] === ";") {
      const start = at + code.slice(at, i).search(/\S|$/);
      const header = /^(?:else\s+)?(?:(?:if|for|while)\s*(?=\())?/.exec(code.slice(start, i))[0];
      let begin = start + header.length;
      if (code[begin] === "(" && /(if|for|while)\s*$/.test(header)) begin = closing(code, begin);
      const text = code.slice(begin, i).trim();
      const declares = DECLARATION.test(text);
      if (
        text &&
        text !== "_" &&
        !/^(return|revert)\b\s*$/.test(text) &&
        (!declares || /^(return|emit|delete) /.test(text))
      ) {
        const lead = code.slice(begin, i).search(/\S/);
        yield { operator: "deletion", from: begin + lead, to: i + 1, text: header ? "{}" : "" };
      }
      at = i + 1;
    }
  }
}

/** Modifiers of functions whose names begin with `only` (or, soon, `when`): left out. */
function* modifiers(code, [from, to]) {
  for (const match of code.slice(from, to).matchAll(/\b(?:only|when|non)[A-Z]\w*(?:\([^)]*\))?/g)) {
    yield { operator: "modifier", from: from + match.index, to: from + match.index + match[0].length, text: "" };
  }
}

/** Each value of an enum by the next one: `enums` maps names to values. */
function* enumValues(code, [from, to], enums) {
  for (const match of code.slice(from, to).matchAll(/\b([A-Z]\w*)\.([A-Z]\w*)\b/g)) {
    const values = enums.get(match[1]);
    if (!values?.includes(match[2])) continue;
    const next = values[(values.indexOf(match[2]) + 1) % values.length];
    yield {
      operator: "enum",
      from: from + match.index,
      to: from + match.index + match[0].length,
      text: `${match[1]}.${next}`,
    };
  }
}

/** Enums declared anywhere in `sources`. */
export function enumsOf(sources) {
  const found = new Map();
  for (const source of sources) {
    for (const [, name, values] of blank(source).matchAll(/\benum\s+(\w+)\s*\{([^}]*)\}/g))
      found.set(name, values.match(/\w+/g));
  }
  return found;
}

/** A function that a mutant uses must be imported too. */
function withImport(source, mutant) {
  const [name] = /^(bpsOf|min|max)\w+$/.exec(mutant.text) ?? [];
  if (!name || new RegExp(`\\b${name}\\b`).test(source)) return source;
  const original = source.slice(mutant.from, mutant.to);
  return source.replace(new RegExp(`(import \\{[^}]*\\b${original}\\b)`), `$1, ${name}`);
}

/** Every mutant of `source`: { id, file, line, name, operator, before, after, mutated }. Ids outlast other edits. */
export function mutantsOf(file, source, enums) {
  const code = blank(source);
  const seen = new Map();
  const mutants = [];
  for (const { name, head, body } of regions(code)) {
    const all = [swaps, constants, conditions, smaller, deletions].flatMap((rule) => [...rule(code, body)]);
    for (const mutant of [...all, ...modifiers(code, head), ...enumValues(code, body, enums)]) {
      const original = source.slice(mutant.from, mutant.to);
      if (original === mutant.text) continue;
      const imported = withImport(source, mutant);
      const shift = imported.length - source.length;
      const mutated = imported.slice(0, mutant.from + shift) + mutant.text + imported.slice(mutant.to + shift);
      const lineFrom = source.lastIndexOf("\n", mutant.from) + 1;
      const lineTo = source.indexOf("\n", mutant.to - 1);
      const before = source.slice(lineFrom, lineTo).trim();
      const after = (source.slice(lineFrom, mutant.from) + mutant.text + source.slice(mutant.to, lineTo)).trim();
      const key = [file, name, mutant.operator, before, after].join("\0");
      const times = (seen.get(key) ?? 0) + 1;
      seen.set(key, times);
      const id = createHash("sha256").update(`${key}\0${times}`).digest("hex").slice(0, 8);
      mutants.push({
        id,
        file,
        line: source.slice(0, mutant.from).split("\n").length,
        name,
        operator: mutant.operator,
        before,
        after,
        mutated,
      });
    }
  }
  return mutants;
}
