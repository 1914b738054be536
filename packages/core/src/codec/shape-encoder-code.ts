import { NODE_ANY, NODE_BIGINT, NODE_BOOLEAN, NODE_DATE, NODE_INT, NODE_NUMBER, NODE_OBJECT, NODE_STRING, NODE_TUPLE } from "./batch-format.js";
import type { PlanNode } from "./batch-plan.js";
import type { EncoderColumn } from "./encoder-column.js";

/** Takes rows `values[i…to)` while they have the shape, the first as the group's row `row`; returns the index of the first that has not. */
export type EncodeRun = (values: readonly unknown[], i: number, to: number, row: number) => number;

const plainObject: object = {};
const plainArray: object = [];

/** `__proto__` is ten times faster than `Object.getPrototypeOf`, but hosts may switch it off. */
function prototypeGetterWorks(): boolean {
  try {
    return (plainObject as { __proto__?: unknown }).__proto__ === Object.prototype;
  } catch {
    return false;
  }
}
const PROTO = prototypeGetterWorks() ? (value: string) => `${value}.__proto__` : (value: string) => `getPrototypeOf(${value})`;

let generation = 0;

/** Everything generated code refers to by name. */
const runtime = {
  objectPrototype: Object.getPrototypeOf(plainObject) as unknown,
  arrayPrototype: Object.getPrototypeOf(plainArray) as unknown,
  datePrototype: Date.prototype as unknown,
  getPrototypeOf: Object.getPrototypeOf as unknown,
  isArray: Array.isArray as unknown,
  hasOwn: Object.hasOwn as unknown,
  timeOf: ((date: Date) => date.getTime()) as unknown,
  fits64: ((value: bigint) => BigInt.asIntN(64, value) === value) as unknown,
};

/**
 * Generates the row loop for a plan; `columns` are its nodes' in order.
 *
 * Throws an `EvalError` where the host forbids generated code.
 */
export function compileEncodeRun(root: PlanNode, columns: readonly EncoderColumn[]): EncodeRun {
  const code = new EncoderCode(root);
  // V8 shares type feedback between functions of equal text: the number keeps every encoder's to itself.
  const text = `"use strict"; /* encoder ${generation++} */
const { ${Object.keys(runtime).join(", ")} } = runtime;
${code.constants.join("\n")}
return function run(values, i, to, row) {
${code.loads.join("\n")}
for (; i < to; i++, row++) {
const v0 = values[i];
${code.rows}
}
${code.stores.join("\n")}
return i;
};`;
  return (new Function("runtime", "columns", text) as (r: typeof runtime, c: readonly EncoderColumn[]) => EncodeRun)(runtime, columns);
}

class EncoderCode {
  readonly constants: string[] = [];
  readonly loads: string[] = [];
  readonly stores: string[] = [];
  readonly rows: string;
  #next = 0;

  constructor(root: PlanNode) {
    // A root that is not of the shape ends the run instead of being an exception.
    this.rows = root.kind === NODE_ANY ? this.#node(root) : this.#node(root, "break;");
  }

  /** Code that takes the value in `v<id>`. `otherwise` replaces the node's own handling of what does not fit. */
  #node(node: PlanNode, otherwise?: string): string {
    const id = this.#next++;
    this.constants.push(`const k${id} = columns[${id}];`);
    if (node.kind === NODE_ANY) return `k${id}.any(v${id});`;
    if (node.kind >= NODE_OBJECT) return this.#structure(node, id, otherwise);
    const misfit = otherwise ?? `k${id}.misfit(row, v${id}); ${this.#leafFill(node.kind, id)}`;
    return `${this.#leaf(node.kind, id)} else { ${misfit} }`;
  }

  #leaf(kind: number, id: number): string {
    const v = `v${id}`;
    switch (kind) {
      case NODE_NUMBER:
        this.loads.push(`const c${id} = k${id}.doubles;`);
        return `if (typeof ${v} === "number") c${id}[row] = ${v};`;
      case NODE_STRING:
        this.loads.push(`const c${id} = k${id}.ints; let m${id} = k${id}.magnitude, s${id} = k${id}.text;`);
        this.stores.push(`k${id}.magnitude = m${id}; k${id}.text = s${id};`);
        return `if (typeof ${v} === "string") { const n = ${v}.length; c${id}[row] = n; m${id} |= n; s${id} += ${v}; }`;
      case NODE_INT:
        this.loads.push(`const c${id} = k${id}.ints; let m${id} = k${id}.magnitude;`);
        this.stores.push(`k${id}.magnitude = m${id};`);
        return `const x${id} = typeof ${v} === "number" ? ${v} | 0 : 0;
if (x${id} === ${v} && (x${id} !== 0 || 1 / ${v} > 0)) { c${id}[row] = x${id}; m${id} |= x${id} ^ (x${id} >> 31); }`;
      case NODE_BOOLEAN:
        this.loads.push(`const c${id} = k${id}.booleans;`);
        return `if (typeof ${v} === "boolean") c${id}[row] = ${v} ? 1 : 0;`;
      case NODE_DATE:
        this.loads.push(`const c${id} = k${id}.doubles;`);
        return `if (typeof ${v} === "object" && ${v} !== null && ${PROTO(v)} === datePrototype) c${id}[row] = timeOf(${v});`;
      case NODE_BIGINT:
        this.loads.push(`const c${id} = k${id}.int64s;`);
        return `if (typeof ${v} === "bigint" && fits64(${v})) c${id}[row] = ${v};`;
      default:
        throw new Error(`no such leaf: ${kind}`);
    }
  }

  /** What a row without a value leaves in the column, so that nothing of an earlier batch shows. */
  #leafFill(kind: number, id: number): string {
    return kind === NODE_BIGINT ? `c${id}[row] = 0n;` : `c${id}[row] = 0;`;
  }

  #structure(node: PlanNode, id: number, otherwise: string | undefined): string {
    const v = `v${id}`;
    const inside: string[] = [];
    const fills: string[] = [];
    node.children.forEach((child, i) => {
      const first = this.#next;
      const access = node.kind === NODE_TUPLE ? `[${i}]` : `[${JSON.stringify(node.keys[i])}]`;
      const code = this.#node(child);
      inside.push(`const v${first} = ${v}${access};\n${code}`);
      fills.push(this.#fill(child, first).code);
    });
    const check = node.kind === NODE_TUPLE ? this.#tupleCheck(v, node.children.length) : this.#objectCheck(v, id, node.keys);
    const misfit = otherwise ?? `k${id}.misfit(row, ${v}); ${fills.join(" ")}`;
    return `let f${id} = false;\n${check(`f${id}`)}\nif (f${id}) {\n${inside.join("\n")}\n} else { ${misfit} }`;
  }

  #fill(node: PlanNode, id: number): { code: string; next: number } {
    let next = id + 1;
    let code = node.kind === NODE_ANY || node.kind >= NODE_OBJECT ? "" : this.#leafFill(node.kind, id);
    for (const child of node.children) {
      const inner = this.#fill(child, next);
      code += inner.code;
      next = inner.next;
    }
    return { code, next };
  }

  /** Exactly these keys in this order: enumerating them is the only sure way, and fast for objects of one hidden class. */
  #objectCheck(v: string, id: number, keys: readonly string[]): (fits: string) => string {
    this.constants.push(`const n${id} = ${JSON.stringify(keys)};`);
    return (fits) => `if (typeof ${v} === "object" && ${v} !== null && ${PROTO(v)} === objectPrototype) {
let at = 0;
for (const key in ${v}) if (key !== n${id}[at++]) { at = -1; break; }
${fits} = at === ${keys.length};
}`;
  }

  #tupleCheck(v: string, length: number): (fits: string) => string {
    const noHoles = Array.from({ length }, (_, i) => `(${v}[${i}] !== undefined || hasOwn(${v}, ${i}))`);
    const all = [`isArray(${v})`, `${v}.length === ${length}`, `${PROTO(v)} === arrayPrototype`, ...noHoles];
    return (fits) => `${fits} = ${all.join(" && ")};`;
  }
}
