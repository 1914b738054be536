import assert from "node:assert/strict";
import { test } from "node:test";
import { JuteReader, JuteWriter } from "../src/jute.js";

test("every field is written whole, wherever the packet outgrows its buffer", () => {
  for (let offset = 0; offset < 1100; offset++) {
    const packet = new JuteWriter().buffer(new Uint8Array(offset)).bool(true).int(-7).bool(true).long(-9n).bool(true).string("ü").bool(true).packet();
    const reader = new JuteReader(packet.subarray(4));
    assert.equal(new DataView(packet.buffer).getInt32(0), packet.length - 4);
    assert.equal(reader.buffer().length, offset);
    assert.deepEqual([reader.bool(), reader.int(), reader.bool(), reader.long(), reader.bool(), reader.string(), reader.bool()], [true, -7, true, -9n, true, "ü", true], `offset ${offset}`);
  }
});
