// TracedRuns: one run of every stage, as it stands in the road table's machine, with somebody who looks on.
// Source followed: the road table.
// Simplified: of the runs that a column sums up, the trace shows one.

import {
  exportingStages,
  type GpuExchangeInput,
  type GuestSpaceInput,
  peerTreeSite,
  type RevokeInput,
  runGpuExchange,
  runGuestSpace,
  runnableStages,
  runRevoke,
  type StageReport,
} from '@sgfree/roadmap';
import type { Shown } from '../compare-json.ts';
import { firstIos } from '../compare-peers.ts';
import type { RequestList } from '../request-list/request-list.ts';
import { ROAD_DOOR, ROAD_MACHINE } from '../road/stage-runs.ts';
import { MachineRecorder } from './machine-recorder.ts';

/** A run that is over, and what was seen of it. */
export interface TracedRun {
  readonly report: StageReport;
  readonly recorder: MachineRecorder;
}

/** What the comparison has run. */
type Ran = Pick<Shown, 'revoke' | 'guestSpace' | 'gpuExchange'>;

const PLACE = 'host-bridge';

/** Runs every stage in turn. */
export function* tracedRuns(list: RequestList, seed: number, ran: Ran): Generator<TracedRun> {
  const { ios } = firstIos(list);
  const traced = (run: (recorder: MachineRecorder) => StageReport): TracedRun => {
    const recorder = new MachineRecorder();
    return { report: run(recorder), recorder };
  };
  const stream = (recorder: MachineRecorder) => ({
    ios,
    seed,
    iommu: true,
    observe: recorder.observe,
    onIo: (done: number) => nextIo(recorder, done, ios.length),
  });
  for (const stage of runnableStages)
    yield traced((recorder) => stage.runPeer({ ...stream(recorder), site: peerTreeSite({ peer: PLACE }) }));
  for (const stage of exportingStages)
    yield traced((recorder) => stage.runExported({ ...stream(recorder), peer: PLACE }));
  yield traced(({ observe }) => runRevoke(revokeInput(ran, seed), observe).stage);
  yield traced(({ observe }) => runGuestSpace(guestInput(ran, seed), observe).stage);
  yield traced(({ observe }) => runGpuExchange(exchangeInput(ran, seed), observe).stage);
}

/** The I/O before ends, the next one begins; the first began with the run. */
function nextIo(recorder: MachineRecorder, done: number, ios: number): void {
  if (done === 1) recorder.markFirst('run:begin', { what: 'set-up and I/O 0' });
  recorder.mark('run:end', {});
  if (done < ios) recorder.mark('run:begin', { what: `I/O ${done}` });
}

/** The run of stage 6 that the comparison made, or its like where it made none. */
function revokeInput({ revoke }: Ran, seed: number): RevokeInput {
  const block = revoke?.blocks.find(({ variant }) => variant.key === ROAD_MACHINE);
  const row = block?.rows.find(({ report }) => report.input.importers.length > 1);
  const importers = ['dynamic', 'pinned-revocable'] as const;
  return row?.report.input ?? { trigger: 'reset', importers, place: PLACE, iommu: true, seed };
}

/** The same for stage 7. */
function guestInput({ guestSpace }: Ran, seed: number): GuestSpaceInput {
  const row = guestSpace?.rows.find(
    ({ report: { input } }) => input.door === ROAD_DOOR && input.place === PLACE,
  );
  return row?.report.input ?? { door: ROAD_DOOR, place: PLACE, trigger: 'reset', seed };
}

/** The same for stage 8. */
function exchangeInput({ gpuExchange }: Ran, seed: number): GpuExchangeInput {
  const row = gpuExchange?.rows.find(
    ({ report: { input } }) => input.way === 'range-list' && input.place === PLACE && input.iommu,
  );
  return row?.report.input ?? { way: 'range-list', place: PLACE, iommu: true, seed };
}
