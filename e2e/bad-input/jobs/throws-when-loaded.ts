function readRate(): number {
  throw new Error("RATE is not set");
}

export const rate: number = readRate();
