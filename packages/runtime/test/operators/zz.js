import { CumulatingEventTimeWindows, MAX_WATERMARK } from "@millrace/core";
import { aggregateWindow, openWindow } from "./support/windows.js";
for (const e of ["general", "direct", "shared"]) {
    const h = await openWindow(aggregateWindow(CumulatingEventTimeWindows.of(15, 5)), e);
    h.processElement({ key: "a", value: 1 }, 85);
    h.processElement({ key: "a", value: 1 }, 75);
    h.processWatermark(MAX_WATERMARK);
    console.log(e, JSON.stringify(h.output), h.keyCount, h.eventTimeTimerCount);
}
//# sourceMappingURL=zz.js.map