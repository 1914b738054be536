import { MillraceError } from "@millrace/core";
import type { BulkFormat, BulkWriterFactory, FileSystem, FileWriter } from "@millrace/core";

/** Makes one file of several that hold rows of one bucket, in order. Flink: FileCompactor. */
export interface FileCompactor {
  /** Writes the rows of `inputs` to `target`, which it does not close. */
  compact(fs: FileSystem, inputs: readonly string[], target: FileWriter): Promise<void>;
}

const COPY_BYTES = 1024 * 1024;

/** Files one behind the other; the header that each begins with stands once. Flink: ConcatFileCompactor. */
export function concatCompactor(header: string): FileCompactor {
  const headerBytes = Buffer.from(header);
  return {
    async compact(fs, inputs, target) {
      for (const [i, path] of inputs.entries()) {
        const reader = await fs.read(path, i === 0 ? 0 : headerBytes.length);
        try {
          for (let bytes = await reader.read(COPY_BYTES); bytes !== undefined; bytes = await reader.read(COPY_BYTES)) await target.write(bytes);
        } finally {
          await reader.close();
        }
      }
    },
  };
}

/** Reads the records and writes them anew, for formats that are written as a whole. Flink: RecordWiseFileCompactor. */
export function recordWiseCompactor<T>(format: BulkFormat<T>, factory: BulkWriterFactory<T>): FileCompactor {
  return {
    async compact(fs, inputs, target) {
      const writer = factory.createWriter();
      for (const path of inputs) {
        const sizeBytes = (await fs.status(path))?.sizeBytes;
        if (sizeBytes === undefined) throw new MillraceError({ code: "FILE_NOT_FOUND", message: `"${path}", which was to be compacted, is not there`, location: { file: path } });
        const reader = await format.open({ fs, path, sizeBytes, startByte: 0, endByte: sizeBytes, resumeAt: undefined });
        try {
          for (let block = await reader.next(); block !== undefined; block = await reader.next()) {
            for (const record of block.records(0, block.rowCount)) writer.addElement(record);
            if (writer.encodedBytes > 0) await target.write(writer.takeBytes());
          }
        } finally {
          await reader.close();
        }
      }
      await target.write(writer.finish());
    },
  };
}
