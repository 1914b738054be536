/** A line on the terminal that says what is going on; nothing elsewhere. */
export class Progress {
  private readonly stream: NodeJS.WriteStream;
  private readonly startMs: number = performance.now();

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.stream = stream;
  }
  show(text: string): void {
    if (!this.stream.isTTY) return;
    const seconds = Math.round((performance.now() - this.startMs) / 1000);
    this.stream.write(`\r\u001b[K${`${seconds} s  ${text}`.slice(0, this.stream.columns - 1)}`);
  }
  clear(): void {
    if (this.stream.isTTY) this.stream.write("\r\u001b[K");
  }
}
