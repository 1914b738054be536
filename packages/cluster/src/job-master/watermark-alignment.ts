import { MAX_WATERMARK } from "@millrace/core";

/** A subtask of a source that takes part in watermark alignment. */
export interface AlignmentMember {
  readonly operatorId: string;
  readonly subtaskIndex: number;
}

interface Group {
  readonly members: Map<string, { readonly member: AlignmentMember; watermarkMs: number; maxDriftMs: number }>;
  announcedMs: number | undefined;
}

/**
 * Watermark alignment (FLIP-182): no member of a group may be further ahead than the slowest member plus the drift.
 * A subtask that has reported nothing yet does not count.
 */
export class WatermarkAlignment {
  readonly #groups = new Map<string, Group>();
  readonly #announce: (member: AlignmentMember, maxWatermarkMs: number) => void;

  constructor(announce: (member: AlignmentMember, maxWatermarkMs: number) => void) {
    this.#announce = announce;
  }

  report(group: string, member: AlignmentMember, watermarkMs: number, maxDriftMs: number): void {
    let state = this.#groups.get(group);
    if (state === undefined) this.#groups.set(group, (state = { members: new Map(), announcedMs: undefined }));
    const key = `${member.operatorId}:${member.subtaskIndex}`;
    // One that has just come knows nothing of what the others were told.
    if (!state.members.has(key)) state.announcedMs = undefined;
    state.members.set(key, { member, watermarkMs, maxDriftMs });
    this.#update(state);
  }

  /** The subtask ended and holds nobody back any more. */
  leave(operatorId: string, subtaskIndex: number): void {
    for (const group of this.#groups.values()) if (group.members.delete(`${operatorId}:${subtaskIndex}`)) this.#update(group);
  }

  clear(): void {
    this.#groups.clear();
  }

  #update(group: Group): void {
    let slowestMs = MAX_WATERMARK;
    for (const { watermarkMs } of group.members.values()) slowestMs = Math.min(slowestMs, watermarkMs);
    if (slowestMs === group.announcedMs) return;
    group.announcedMs = slowestMs;
    for (const { member, maxDriftMs } of group.members.values()) this.#announce(member, Math.min(MAX_WATERMARK, slowestMs + maxDriftMs));
  }
}
