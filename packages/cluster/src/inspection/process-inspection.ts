/**
 * What is seen of a process from outside: its logs, what its threads do, its figures. Plain data in and out, since a JobManager asks it of TaskManagers
 * over RPC.
 */
export interface ProcessInspection {
  /** The log files of this process, none when it writes none. */
  logs(): Promise<readonly LogFile[]>;
  /** A piece of a log file, by the name that {@link logs} gave; never a path. @throws `LOG_UNKNOWN` */
  readLog(name: string, offset: number): Promise<LogPiece>;
  /** What every thread does right now. */
  threadDump(): Promise<readonly ThreadInfo[]>;
  /** Under Flink's names (`Status.JVM.…`). */
  metrics(): Promise<Readonly<Record<string, number>>>;
  /** Watches the slots of a job for a while; resolves when that is over. */
  sampleStacks(request: StackSampling): Promise<readonly SampledThread[]>;
  /** Begins to profile all threads; resolves with how that stands now. @throws `PROFILING_RUNS` */
  startProfiling(request: ProfilingRequest): Promise<Profiling>;
  /** What has been profiled, and is remembered; newest first. */
  profilings(): Promise<readonly Profiling[]>;
  /** A piece of a profiling's file, by the name that {@link profilings} gave; never a path. @throws `PROFILE_UNKNOWN` */
  readProfile(name: string, offset: number): Promise<LogPiece>;
}

/** Flink's modes, which are those of async-profiler. */
export const profilingModes = ["CPU", "ALLOC", "LOCK", "WALL", "ITIMER"] as const;
export type ProfilingMode = (typeof profilingModes)[number];

export interface ProfilingRequest {
  readonly mode: ProfilingMode;
  readonly durationSeconds: number;
}

/** Flink: ProfilingInfo. */
export interface Profiling extends ProfilingRequest {
  readonly status: "RUNNING" | "FINISHED" | "FAILED";
  readonly startedMs: number;
  readonly endedMs: number | undefined;
  /** How it ended. */
  readonly message: string | undefined;
  /** What came of it. */
  readonly file: { readonly name: string; readonly sizeBytes: number } | undefined;
}

export interface LogFile {
  readonly name: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

export interface LogPiece {
  readonly bytes: Uint8Array;
  /** Tells whether two pieces are of one file: a name may go to another while it is read. */
  readonly file: string;
}

export interface ThreadInfo {
  readonly name: string;
  readonly stack: string;
}

export interface StackSampling {
  readonly jobId: string;
  readonly samples: number;
  readonly delayMs: number;
  /** The most frames of a stack. */
  readonly depth: number;
}

/** What one thread did with a job's tasks while it was watched. */
export interface SampledThread {
  readonly samples: number;
  /** How many of them found the thread waiting. */
  readonly idle: number;
  /** Only those that were seen. */
  readonly tasks: readonly SampledTask[];
}

export interface SampledTask {
  readonly vertexId: string;
  readonly subtaskIndex: number;
  readonly stacks: StackNode;
}

/** Stacks put over each other: how many had this frame here, and what it called. */
export interface StackNode {
  readonly name: string;
  readonly value: number;
  readonly children: readonly StackNode[];
}
