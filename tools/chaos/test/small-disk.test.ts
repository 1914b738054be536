import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { limitedDisk, smallDisk } from "../world/small-disk.js";

/** Says the code of each of its attempts to write a new file, one for each line it is sent. */
const writer = `
const { writeFileSync } = require("node:fs");
require("node:readline").createInterface({ input: process.stdin }).on("line", () => {
  try { writeFileSync(process.argv[1] + performance.now(), "x".repeat(10000)); console.log("ok"); } catch (error) { console.log(error.code); }
});`;

test("a disk is full for a process that writes, and has room again", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "millrace-small-disk-"));
  for (const make of [smallDisk, limitedDisk]) {
    const disk = make(join(directory, make.name));
    const child = spawn(process.execPath, ["-e", writer, join(disk.path, "file")], { stdio: ["pipe", "pipe", "inherit"] });
    try {
      const attempt = async (): Promise<string> => {
        child.stdin.write("\n");
        return String(await new Promise((resolve) => child.stdout.once("data", resolve))).trim();
      };
      assert.equal(await attempt(), "ok");
      disk.makeFull([child.pid!]);
      const code = await attempt();
      assert.match(code, /^(ENOSPC|EFBIG)$/);
      assert.match(disk.means, new RegExp(code));
      t.diagnostic(disk.means);
      disk.free([child.pid!]);
      assert.equal(await attempt(), "ok");
    } finally {
      child.kill("SIGKILL");
      disk.remove();
    }
  }
  rmSync(directory, { recursive: true });
});
