import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { hostname, tmpdir, userInfo } from "node:os";
import { join, resolve } from "node:path";
import { LOG_DIRECTORY, LOG_FILE_SIZE, LOG_LEVEL, LOG_MAX_FILES, MillraceError, TMP_DIRS, type Configuration, type LogSink } from "@millrace/core";
import { LogDirectory } from "./log-directory.js";
import { RotatingFile } from "./rotating-file.js";

const levels = ["DEBUG", "INFO", "WARN", "ERROR"];

/** The log of a cluster process: what it tells goes to its standard error and to a file, what is printed in it to its standard output and to another one. */
export interface ProcessLogging {
  readonly log: LogSink;
  readonly files: LogDirectory;
}

export interface ProcessLoggingOptions {
  /** What the process is: `jobmanager`. */
  readonly kind: string;
  /** Base name of its files; default says kind, user, process and machine. */
  readonly name?: string | undefined;
  /** Runs in the background, where nobody sees a terminal: only files are written. */
  readonly background?: boolean;
}

/**
 * Opens the log files of this process, `<name>.log` and `<name>.out`, in `env.log.dir`. From now on everything that this process writes to standard output and
 * error is in the second one, too, but for the log itself. To be called once, at the start.
 * @throws `LOG_DIRECTORY_UNUSABLE`
 */
export function openProcessLogging(config: Configuration, options: ProcessLoggingOptions): ProcessLogging {
  const { kind, name = `millrace-${userInfo().username}-${kind}-${process.pid}-${hostname()}`, background = false } = options;
  const directory = logDirectory(config, kind);
  const limits = { maxBytes: config.get(LOG_FILE_SIZE), maxFiles: config.get(LOG_MAX_FILES) };
  const open = (suffix: string): RotatingFile => {
    try {
      return new RotatingFile({ path: join(directory, `${name}.${suffix}`), ...limits });
    } catch (cause) {
      throw new MillraceError({ code: "LOG_DIRECTORY_UNUSABLE", message: `log files cannot be written to "${directory}": ${(cause as Error).message}`, cause, location: { option: LOG_DIRECTORY.key } });
    }
  };
  const file = open("log");
  const printed = open("out");
  const writeError = process.stderr.write.bind(process.stderr);
  copyTo(printed, process.stdout, !background);
  copyTo(printed, process.stderr, true);
  const least = levels.indexOf(config.get(LOG_LEVEL));
  return {
    files: new LogDirectory(directory, name),
    log: {
      write(level, line) {
        if (level === "print") return void process.stdout.write(`${line}\n`);
        if (levels.indexOf(level.toUpperCase()) < least) return;
        const text = logLine(level, line);
        file.write(text);
        if (!background) writeError(text);
      },
    },
  };
}

/** Time, level and message. */
export function logLine(level: string, line: string): string {
  return `${new Date().toISOString()} ${level.toUpperCase().padEnd(5)} ${line}\n`;
}

/** The one that is configured stays; otherwise one that goes with the process, since its standard error has all of it. */
function logDirectory(config: Configuration, kind: string): string {
  const configured = config.get(LOG_DIRECTORY);
  const directory = configured === undefined ? resolve(config.get(TMP_DIRS) ?? tmpdir(), `millrace-${kind}-log-${randomBytes(8).toString("hex")}`) : resolve(configured);
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new MillraceError({ code: "LOG_DIRECTORY_UNUSABLE", message: `log files cannot be written to "${directory}": ${(cause as Error).message}`, cause, location: { option: LOG_DIRECTORY.key } });
  }
  if (configured === undefined) process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function copyTo(file: RotatingFile, stream: NodeJS.WriteStream, passOn: boolean): void {
  const write = stream.write.bind(stream) as (chunk: string | Uint8Array, encoding?: BufferEncoding, done?: (error?: Error) => void) => boolean;
  stream.write = ((chunk: string | Uint8Array, encoding?: BufferEncoding | ((error?: Error) => void), done?: (error?: Error) => void): boolean => {
    const [named, callback] = typeof encoding === "function" ? [undefined, encoding] : [encoding, done];
    file.write(typeof chunk === "string" && named !== undefined ? Buffer.from(chunk, named) : chunk);
    if (passOn) return write(chunk, named, callback);
    if (callback !== undefined) process.nextTick(callback);
    return true;
  }) as typeof stream.write;
}
