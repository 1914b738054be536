import assert from "node:assert/strict";
import { test } from "node:test";
import { tasksOf, type CpuProfile } from "../../src/inspection/sample-threads.js";

const frame = (functionName: string, url = "", lineNumber = 0): CpuProfile["nodes"][number]["callFrame"] => ({ functionName, url, lineNumber, columnNumber: 0 });
const task = (job: string, subtask: number): string => `millrace-task:${job}/v1/${subtask}/map%20(${subtask + 1}%2F2)`;

/** root → loop → task 0 → f → g; loop → task 1; idle; garbage collector. */
const nodes: CpuProfile["nodes"] = [
  { id: 1, callFrame: frame("(root)"), children: [2, 7, 8, 9] }, { id: 2, callFrame: frame("loop", "engine.js"), children: [3, 6, 10] },
  { id: 3, callFrame: frame("", task("job", 0)), children: [4] }, { id: 4, callFrame: frame("f", "user.ts", 4), children: [5] }, { id: 5, callFrame: frame("", "user.ts", 9) },
  { id: 6, callFrame: frame("", task("job", 1)) }, { id: 7, callFrame: frame("(idle)") }, { id: 8, callFrame: frame("(garbage collector)") }, { id: 9, callFrame: frame("(program)") },
  { id: 10, callFrame: frame("", task("another", 0)) },
];

test("the samples of a profile belong to the tasks whose frames they have", () => {
  const { samples, idle, tasks } = tasksOf({ nodes, samples: [7, 5, 4, 8, 2, 6, 9, 8, 10] }, { jobId: "job", depth: 100 });
  assert.deepEqual([samples, idle], [9, 2]);
  assert.deepEqual(tasks.map(({ vertexId, subtaskIndex, stacks }) => [vertexId, subtaskIndex, stacks.value]), [["v1", 0, 3], ["v1", 1, 1]]);
  assert.deepEqual(tasks[0]!.stacks, {
    name: "root", value: 3, children: [{
      name: "task map (1/2)", value: 3, children: [
        { name: "f (user.ts:5)", value: 2, children: [{ name: "(anonymous) (user.ts:10)", value: 1, children: [] }] }, { name: "(garbage collector)", value: 1, children: [] },
      ],
    }],
  });
});

test("stacks are cut off at the depth", () => {
  const { tasks: [deep] } = tasksOf({ nodes, samples: [5, 5] }, { jobId: "job", depth: 2 });
  assert.deepEqual(deep!.stacks.children[0]!.children, [{ name: "f (user.ts:5)", value: 2, children: [] }]);
});
