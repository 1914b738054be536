import type { FileReader, FileWriter } from "@millrace/core";
import type { CheckpointListener, CheckpointedFunction, FileSystem, InputStatus, ReaderOutput, RichFunction, RuntimeContext, Source, SourceReader, SourceSplit, StateInitializationContext } from "millrace";

/** A user function whose life cycle and checkpoint calls are places of failures. */
export class FaultyFunction implements RichFunction, CheckpointedFunction, CheckpointListener {
  readonly visit: (step: string) => void;

  constructor(visit: (place: string) => void, name: string) {
    this.visit = (step) => visit(`${name}: ${step}`);
  }
  open(_context: RuntimeContext): void {
    this.visit("open");
  }
  close(): void {
    this.visit("close");
  }
  initializeState(_context: StateInitializationContext): void {
    this.visit("initializeState");
  }
  snapshotState(): void {
    this.visit("snapshotState");
  }
  notifyCheckpointComplete(): void {
    this.visit("notifyCheckpointComplete");
  }
}

/** The same source, with failures in its readers and its enumerator. */
export function faultySource<T, S extends SourceSplit, E>(source: Source<T, S, E>, visit: (place: string) => void, name: string): Source<T, S, E> {
  const failing = <O extends object>(target: O, methods: readonly string[]): O =>
    new Proxy(target, {
      get: (object, property) => {
        const member = Reflect.get(object, property) as unknown;
        if (typeof member !== "function") return member;
        return (...args: unknown[]): unknown => {
          const fails = methods.includes(String(property));
          if (fails && property !== "close") visit(`${name}: ${String(property)}`);
          const result = Reflect.apply(member, object, args) as unknown;
          // Otherwise the test would leak what the source has open.
          if (fails && property === "close") visit(`${name}: close`);
          return result;
        };
      },
    });
  return {
    boundedness: source.boundedness,
    ...(source.splitCodec === undefined ? {} : { splitCodec: source.splitCodec }),
    ...(source.enumeratorCodec === undefined ? {} : { enumeratorCodec: source.enumeratorCodec }),
    createEnumerator: async (context, restored) => failing(await source.createEnumerator(context, restored), ["start", "snapshotState", "handleSplitRequest"]),
    createReader: (context) => afterRecords(failing(source.createReader(context), ["start", "snapshotState", "addSplits", "close"]), visit, name),
  };
}

/** Fails after records were emitted, too: what a reader gave must come again although nobody knows it. */
function afterRecords<T, S extends SourceSplit>(reader: SourceReader<T, S>, visit: (place: string) => void, name: string): SourceReader<T, S> {
  return new Proxy(reader, {
    get: (object, property) => {
      const member = Reflect.get(object, property) as unknown;
      if (typeof member !== "function") return member;
      if (property !== "pollNext") return (member as () => unknown).bind(object);
      return (output: ReaderOutput<T>): InputStatus => {
        visit(`${name}: before pollNext`);
        const status = object.pollNext(output);
        visit(`${name}: after pollNext`);
        return status;
      };
    },
  });
}

/** The same file system, on which operations fail. `open` holds the paths of the files that are open. */
export function faultyFileSystem(fs: FileSystem, visit: (place: string) => void, open: Set<{ readonly path: string }>): FileSystem {
  const failing = new Set(["create", "writeAtomic", "rename", "delete", "readFile", "mkdirs", "resume"]);
  const opening = new Set(["create", "resume", "read"]);
  return new Proxy(fs, {
    get: (object, property) => {
      const member = Reflect.get(object, property) as unknown;
      if (typeof member !== "function") return member;
      if (!failing.has(String(property)) && !opening.has(String(property))) return (member as () => unknown).bind(object);
      return async (...args: unknown[]): Promise<unknown> => {
        if (failing.has(String(property))) visit(`disk: ${String(property)}`);
        const result = (await Reflect.apply(member, object, args)) as unknown;
        return opening.has(String(property)) ? tracked(result as FileReader | FileWriter, `${String(property)} ${String(args[0])}`, open) : result;
      };
    },
  });
}

function tracked(file: FileReader | FileWriter, path: string, open: Set<{ readonly path: string }>): unknown {
  const entry = { path };
  open.add(entry);
  return new Proxy(file, {
    get: (object, property) => {
      if (property === "close") open.delete(entry);
      const member = Reflect.get(object, property) as unknown;
      return typeof member === "function" ? (member as () => unknown).bind(object) : member;
    },
  });
}
