import { join } from "node:path";
import { checkTotals } from "../check/check-totals.js";
import { checkWindows } from "../check/check-windows.js";
import { FilesInput, FilesOutput } from "../ends/files.js";
import { jobModule, type Scenario } from "./scenario.js";

/**
 * Files are read by several subtasks at once, so nothing is promised of the order, and some entries may come too late for their window: those come out at the
 * side. Each entry has one total, and is in its window or among the late ones.
 */
export const files: Scenario = {
  name: "files", what: "files that come one by one → running totals and event-time windows → files", needs: [],
  async open(world) {
    const input = new FilesInput(join(world.cluster.directory, "input"));
    const [totals, windows, late] = ["totals", "windows", "late"].map((name) => new FilesOutput(name, world.folder(`out-${name}`))) as [FilesOutput, FilesOutput, FilesOutput];
    return {
      module: jobModule("files"), args: [input, totals, windows, late].flatMap(({ args }) => args), input, progress: totals,
      async check(entries) {
        const [total, window, tooLate] = [await totals.readAll(), await windows.readAll(), await late.readAll()];
        return [
          ...[total, window, tooLate].flatMap(({ complaints }) => complaints),
          ...checkTotals(entries, total.lines, { inputInOrder: false, outputInOrder: false }), ...checkWindows(entries, window.lines, tooLate.lines),
        ];
      },
      close: () => input.close(),
    };
  },
};
