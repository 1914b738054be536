// Compares what a side made of a case with what is committed.

/** JSON with sorted keys: equal values give equal text. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const keys = Object.keys(value).filter((key) => value[key] !== undefined).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
}

const isRecord = (output) => "v" in output;
const withoutStep = (output) => canonical({ ...output, step: undefined });

/** The records, whenever they came. */
function multiset(outputs) {
  return outputs.filter(isRecord).map(withoutStep).sort();
}

/**
 * Everything in order, as far as the order means something: records between two control elements (watermark or status)
 * of one step and one side output are a multiset, for keys fire in no defined order.
 */
function ordered(outputs) {
  const lines = [];
  let group = [];
  let step = -1;
  const flush = () => {
    lines.push(...group.sort());
    group = [];
  };
  for (const output of outputs) {
    if (output.step !== step) flush();
    step = output.step;
    if (isRecord(output)) {
      group.push(`step ${step} ${withoutStep(output)}`);
    } else {
      flush();
      lines.push(`step ${step} ${withoutStep(output)}`);
    }
  }
  flush();
  return lines;
}

/** Lines of a that b lacks, duplicates counted. */
function missingFrom(a, b) {
  const counts = new Map();
  for (const line of b) counts.set(line, (counts.get(line) ?? 0) + 1);
  return a.filter((line) => {
    const left = counts.get(line) ?? 0;
    counts.set(line, left - 1);
    return left <= 0;
  });
}

/**
 * The differences, in words; none when equal. Outputs that carry `step` are compared step by step, watermarks and
 * statuses included; outputs without are compared as a multiset of records.
 */
export function differences(expected, actual) {
  const found = [];
  const stepwise = actual.outputs.length > 0 && actual.outputs.every((output) => "step" in output);
  const view = stepwise ? ordered : multiset;
  const want = view(expected.outputs);
  const got = view(actual.outputs);
  for (const line of missingFrom(want, got)) found.push(`missing: ${line}`);
  for (const line of missingFrom(got, want)) found.push(`unexpected: ${line}`);
  if (found.length === 0 && stepwise) {
    const at = want.findIndex((line, i) => line !== got[i]);
    if (at >= 0) found.push(`order: expected ${want[at]} where there is ${got[at]}`);
  }
  if (actual.lateDropped !== undefined && actual.lateDropped !== expected.lateDropped) {
    found.push(`lateDropped: expected ${expected.lateDropped}, got ${actual.lateDropped}`);
  }
  return found;
}
