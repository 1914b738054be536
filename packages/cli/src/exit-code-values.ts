/** Exit codes of `millrace`, as documented in `--help`. */
export const exitCodes = {
  /** The job finished. */
  finished: 0,
  /** The job, or its program, failed. */
  failed: 1,
  /** The command line, the configuration or the job's file is wrong; nothing was started. */
  usage: 2,
  /** Cancelled with Ctrl-C. */
  cancelled: 130,
} as const;
