import { NODE_ANY, NODE_BIGINT, NODE_BOOLEAN, NODE_DATE, NODE_INT, NODE_NUMBER, NODE_STRING, NODE_TUPLE } from "./batch-format.js";
import type { PlanNode } from "./batch-plan.js";
import type { DecoderColumn } from "./decoder-column.js";
import { readValue } from "./value-reader.js";

/** Fills `values[i…to)` with a group's rows from `row` on. */
export type DecodeRun = (values: unknown[], i: number, to: number, row: number) => void;

let generation = 0;

/**
 * Generates the row loop for a plan and the variant that `columns` (its nodes' in order) have loaded.
 *
 * Throws an `EvalError` where the host forbids generated code.
 */
export function compileDecodeRun(root: PlanNode, columns: readonly DecoderColumn[]): DecodeRun {
  const code = new DecoderCode(root, columns);
  // V8 shares type feedback between functions of equal text: the number keeps every decoder's to itself.
  const text = `"use strict"; /* decoder ${generation++} */
${columns.map((_, id) => `const k${id} = columns[${id}];`).join("\n")}
return function run(values, i, to, row) {
${code.loads.join("\n")}
for (; i < to; i++, row++) values[i] = ${code.expression};
${code.stores.join("\n")}
};`;
  return (new Function("columns", "readValue", text) as (c: readonly DecoderColumn[], r: typeof readValue) => DecodeRun)(columns, readValue);
}

class DecoderCode {
  readonly loads: string[] = [];
  readonly stores: string[] = [];
  readonly expression: string;
  readonly #columns: readonly DecoderColumn[];
  #next = 0;

  constructor(root: PlanNode, columns: readonly DecoderColumn[]) {
    this.#columns = columns;
    this.expression = this.#node(root);
  }

  #node(node: PlanNode): string {
    const id = this.#next++;
    const value = this.#value(node, id);
    if (!this.#columns[id]!.tagged) return value;
    this.loads.push(`const g${id} = k${id}.tags;`);
    return `(g${id}[row] === 0 ? ${value} : k${id}.misfit(row))`;
  }

  #value(node: PlanNode, id: number): string {
    switch (node.kind) {
      case NODE_ANY:
        this.loads.push(`const r${id} = k${id}.values;`);
        return `readValue(r${id})`;
      case NODE_INT:
      case NODE_NUMBER:
        this.loads.push(`const c${id} = k${id}.${this.#columns[id]!.integer ? "ints" : "doubles"};`);
        return `c${id}[row]`;
      case NODE_STRING:
        this.loads.push(`const t${id} = k${id}.text, l${id} = k${id}.lengths; let p${id} = k${id}.textPosition;`);
        this.stores.push(`k${id}.textPosition = p${id};`);
        return `t${id}.substring(p${id}, p${id} += l${id}[row])`;
      case NODE_BOOLEAN:
        this.loads.push(`const c${id} = k${id}.booleans;`);
        return `c${id}[row] === 1`;
      case NODE_DATE:
        this.loads.push(`const c${id} = k${id}.doubles;`);
        return `new Date(c${id}[row])`;
      case NODE_BIGINT:
        this.loads.push(`const c${id} = k${id}.int64s;`);
        return `c${id}[row]`;
      case NODE_TUPLE:
        return `[${node.children.map((child) => this.#node(child)).join(", ")}]`;
      default:
        // A computed name: a plain __proto__ would set the prototype.
        return `({ ${node.children.map((child, i) => `${fieldName(node.keys[i]!)}: ${this.#node(child)}`).join(", ")} })`;
    }
  }
}

function fieldName(key: string): string {
  return key === "__proto__" ? `["__proto__"]` : JSON.stringify(key);
}

/** The reference: the same as {@link compileDecodeRun} without generated code. */
export function interpretRun(root: PlanNode, columns: readonly DecoderColumn[]): DecodeRun {
  const read = interpret(root, columns, { next: 0 });
  return (values, i, to, row) => {
    for (let at = i; at < to; at++) values[at] = read(row + at - i);
  };
}

function interpret(node: PlanNode, columns: readonly DecoderColumn[], ids: { next: number }): (row: number) => unknown {
  const column = columns[ids.next++]!;
  const children = node.children.map((child) => interpret(child, columns, ids));
  return (row) => (column.tagged && column.tags[row] !== 0 ? column.misfit(row) : interpretValue(node, column, children, row));
}

function interpretValue(node: PlanNode, column: DecoderColumn, children: readonly ((row: number) => unknown)[], row: number): unknown {
  switch (node.kind) {
    case NODE_ANY: return readValue(column.values);
    case NODE_INT:
    case NODE_NUMBER: return column.integer ? column.ints[row] : column.doubles[row];
    case NODE_STRING: return column.nextText(row);
    case NODE_BOOLEAN: return column.booleans[row] === 1;
    case NODE_DATE: return new Date(column.doubles[row]!);
    case NODE_BIGINT: return column.int64s[row];
    case NODE_TUPLE: return children.map((child) => child(row));
    // fromEntries defines fields, so that one named __proto__ stays a field.
    default: return Object.fromEntries(children.map((child, i) => [node.keys[i]!, child(row)]));
  }
}
