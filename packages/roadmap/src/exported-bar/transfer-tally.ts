// TransferTally: what a run over an exported BAR saw of its transfers: completions, comparisons, failures; no work.
// Source followed: the project's design: data is compared after each I/O; what must be refused must change nothing.
// Simplified: the first failures are kept, the rest are counted.

import { rdmaStatusName } from '@sgfree/hw-model';
import type { IbWc } from '@sgfree/rdma/stage-4';
import type { IoVerdict } from '../io-data.ts';
import { type IoRecord, ioBytes } from '../io-record.ts';
import type { StageFailure } from '../stage-report.ts';

const MOST_FAILURES_KEPT = 20;

/**
 * The books of a run.
 * @internal
 */
export class TransferTally {
  workRequests = 0;
  bytesRead = 0;
  bytesWritten = 0;
  bytesVerified = 0;
  bytesWrong = 0;
  bytesContested = 0;
  bytesUntouched = 0;
  /** I/Os that could not be because the registration was refused, by errno. */
  readonly refusals: Record<string, number> = {};
  readonly completions: Record<string, number> = {};
  readonly failures: StageFailure[] = [];
  failureCount = 0;

  note(kind: StageFailure['kind'], io: number, detail: string): void {
    this.failureCount += 1;
    if (this.failures.length < MOST_FAILURES_KEPT) this.failures.push({ kind, io, detail });
  }

  /** The completions of I/O number `index`, which were to be `posted`. */
  completed(index: number, posted: number, done: readonly IbWc[]): void {
    this.workRequests += posted;
    for (const { status, wrId } of done) {
      const name = rdmaStatusName(status);
      this.completions[name] = (this.completions[name] ?? 0) + 1;
      if (name !== 'SUCCESS') this.note('request', index, `work request ${wrId} ended as ${name}`);
    }
    if (done.length < posted)
      this.note('request', index, `${posted - done.length} work requests never ended`);
  }

  /** What comparing I/O number `index` showed. */
  compared(index: number, io: IoRecord, verdict: IoVerdict): void {
    if (io.operation === 'read') this.bytesRead += ioBytes(io);
    else this.bytesWritten += ioBytes(io);
    this.bytesVerified += verdict.verified;
    this.bytesWrong += verdict.wrong;
    this.bytesContested += verdict.contested;
    if (verdict.firstWrong === null) return;
    this.note('data', index, `${verdict.wrong} bytes wrong, the first: ${verdict.firstWrong}`);
  }

  /** I/O number `index` was not tried; nothing may have changed. */
  refused(index: number, errno: string, verdict: IoVerdict): void {
    this.refusals[errno] = (this.refusals[errno] ?? 0) + 1;
    this.bytesUntouched += verdict.verified - verdict.wrong;
    this.bytesWrong += verdict.wrong;
    if (verdict.firstWrong === null) return;
    this.note(
      'data',
      index,
      `a refused I/O changed ${verdict.wrong} bytes, the first: ${verdict.firstWrong}`,
    );
  }
}
