// ReplayEngine: takes the mappings of a trace one by one and makes them in every run, side by side.
// Source followed: the project's design, `sgfree replay`.
// What the trace shows as failed or misused is a finding of the reconstruction; only what succeeded there is replayed, each
// mapping undone as it was made. The calls made here are right by construction, so that no checker of misuse listens.
// Simplified: misuse is what shows in lines; what a driver does with memory between map and unmap does not.

import type { MappingSink, TracedMapping, TracedUnmapping, TraceFinding } from '@sgfree/trace';
import { AssumedMemory } from './assumed-memory.ts';
import { CpuNumbers } from './cpu-numbers.ts';
import { ReplayBatch } from './replay-batch.ts';
import { type ReplayMapping, replayMapping } from './replay-mapping.ts';
import { REPLAY_MODES, REPLAY_STAGES, type ReplayPlan } from './replay-plan.ts';
import { refusalOf } from './replay-refusal.ts';
import type { ReplayReport } from './replay-report.ts';
import { ReplayRun } from './replay-run.ts';
import { replayVerdict } from './replay-verdict.ts';
import { runReport } from './run-report.ts';
import { TraceTime } from './trace-time.ts';
import { AttrsReader } from './trace-words.ts';
import { type TracedDevice, TracedDevices } from './traced-devices.ts';

/**
 * Replays the mappings of one trace, as a reconstruction gives them.
 * @public
 */
export class ReplayEngine implements MappingSink {
  readonly #runs: readonly ReplayRun[];
  readonly #batch: ReplayBatch;
  readonly #devices: TracedDevices;
  readonly #cpus = new CpuNumbers();
  readonly #assumed = new AssumedMemory();
  readonly #attrs = new AttrsReader();
  readonly #time = new TraceTime();
  /** Live mappings that are replayed, by the number that the reconstruction gave them. */
  readonly #live = new Map<number, ReplayMapping>();
  readonly #freeSlots: number[] = [];
  #slots = 0;
  #runDevices = 0;
  #firstTime = -1;
  #lastTime = -1;

  constructor(plan: ReplayPlan = {}) {
    const { stages = REPLAY_STAGES, modes = REPLAY_MODES, device = null } = plan;
    this.#runs = stages.flatMap((stage) => modes.map((mode) => new ReplayRun(stage, mode)));
    this.#batch = new ReplayBatch(this.#runs);
    this.#devices = new TracedDevices(device);
  }

  mapped(traced: TracedMapping): void {
    const device = this.#devices.ofMapping(traced);
    if (device === null) return;
    this.#noteTime(traced.mappedAt);
    const tally = device === 'full' ? this.#devices.beyond : device.tally;
    tally.mapping(traced);
    const reason = device === 'full' ? 'too-many-devices' : refusalOf(traced);
    if (reason !== null) tally.refuse(reason);
    else if (device !== 'full') this.#replay(device, traced);
  }

  unmapped(traced: TracedMapping, end: TracedUnmapping): void {
    const mapping = this.#live.get(traced.id);
    if (mapping === undefined) return;
    this.#noteTime(end.at);
    this.#live.delete(traced.id);
    this.#freeSlots.push(mapping.slot);
    const cpu = this.#cpus.of(end.cpu);
    this.#batch.unmap(mapping, this.#time.msOf(end.at), cpu);
  }

  finding(finding: TraceFinding): void {
    const device = this.#devices.ofFinding(finding);
    if (device === null) return;
    (device === 'full' ? this.#devices.beyond : device.tally).finding(finding);
  }

  /** The traced kernel bounced `bytes` bytes of the device called `name`. */
  bounced(name: string, bytes: number): void {
    const device = this.#devices.of(name);
    if (device === null) return;
    (device === 'full' ? this.#devices.beyond : device.tally).bounce(bytes);
  }

  /** Ends every run, takes down what still lives, and says what was seen. To be called once. */
  end(): ReplayReport {
    this.#batch.flush();
    const live = [...this.#live.values()];
    const runs = this.#runs.map((run) => runReport(run, live));
    const span = this.#firstTime < 0 ? -1 : this.#lastTime - this.#firstTime;
    return {
      cpus: this.#cpus.count,
      nanoseconds: span,
      traced: this.#devices.total().report(),
      devices: this.#devices.all.map((device) => device.report()),
      otherDevices: [...this.#devices.others],
      unnamedLeftOut: this.#devices.unnamedLeftOut,
      runs,
      verdict: replayVerdict(runs),
    };
  }

  #replay(device: TracedDevice, traced: TracedMapping): void {
    if (device.index < 0) this.#addToRuns(device);
    const { piecePhys, pieceBytes } = traced;
    const phys = traced.kind === 'coherent' ? this.#assumed.placesFor(piecePhys, pieceBytes) : piecePhys;
    const slot = this.#freeSlots.pop() ?? this.#slots++;
    const place = { slot, device: device.index, cpu: this.#cpus.of(traced.mappedCpu) };
    const mapping = replayMapping(traced, place, phys, this.#attrs.read(traced.attrs));
    this.#live.set(traced.id, mapping);
    if (device.widensWith(traced, phys)) this.#widen(device);
    this.#batch.map(mapping, this.#time.msOf(traced.mappedAt));
  }

  #addToRuns(device: TracedDevice): void {
    this.#batch.flush();
    device.index = this.#runDevices;
    this.#runDevices += 1;
    for (const run of this.#runs) run.addDevice(device.name, device.user);
  }

  #widen({ index, wideStreaming, wideCoherent }: TracedDevice): void {
    this.#batch.flush();
    for (const run of this.#runs) run.devices[index]?.widen(wideStreaming, wideCoherent);
  }

  #noteTime(at: number): void {
    if (at < 0) return;
    if (this.#firstTime < 0) this.#firstTime = at;
    if (at > this.#lastTime) this.#lastTime = at;
  }
}
