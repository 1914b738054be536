// Node 20 does not hand the TypeScript loader down to workers.
import { register } from "tsx/esm/api";

register();
await import("./worker-slot.ts");
