// Suite nvio: request lists that a kernel ran on its NVMe disks, with all that DMA API, IOMMU core and VT-d driver traced.
// Field meanings: vectors/kernel/README.md, section io/ and "nvio rules". Each request goes through the block layer and
// the NVMe driver's data path of stage 1 on a machine in the mode of the boot; the model's events, printed as trace text,
// are compared with the trace between the request's markers: on the mapping side line by line in order, on the unmapping
// side as a set of groups, because commands complete in any order.
// Not judged: IOVA values (they depend on every CPU's caches since boot; NvioLines says what is judged of them); times,
// tasks and CPUs; how many pages the descriptor pools take and when (their fill is not recorded; each page must leave the
// lines that the model's leaves). Simplified: the order of completions and the end of the disk are not modelled.

import { guessBacking } from '@sgfree/roadmap';
import { kindWord } from '../recorded-value.ts';
import {
  BrokenHeader,
  type FileContext,
  type JsonRecord,
  type Mismatch,
  type Replayer,
  type Suite,
} from '../suite.ts';
import { RecordedOutput } from './dma-recorded-output.ts';
import { nvioBoot } from './nvio-boot.ts';
import { NvioFlushTimer, timerFlushes } from './nvio-flush-timer.ts';
import { nvioLimits } from './nvio-limits.ts';
import { NvioLines, type NvioOwner } from './nvio-lines.ts';
import { type NvioMachine, nvioMachine } from './nvio-machine.ts';
import { compareReconstruction } from './nvio-reconstruction.ts';
import { isNvioRecord, type NvioRecord, nvioRecord } from './nvio-record.ts';
import { type NvioOutcome, NvioRunner } from './nvio-run.ts';
import { type NvioWindow, nvioDiskName, nvioTraceName, nvioWindows } from './nvio-trace.ts';
import { recordedDomainId } from './recorded-trace.ts';

const CALLS: ReadonlySet<string> = new Set(['dma_map_phys', 'dma_unmap_phys']);

class NvioReplayer implements Replayer {
  readonly #machine: NvioMachine;
  readonly #runner: NvioRunner;
  readonly #owner: NvioOwner;
  readonly #windows: ReadonlyMap<number, NvioWindow>;
  readonly #poolPage: string;
  readonly #replayed = new Set<number>();
  /** What the trace alone gives and the list does not: by request, and for the whole under null. */
  readonly #reconstruction = new Map<number | null, Mismatch[]>();

  constructor(
    machine: NvioMachine,
    runner: NvioRunner,
    owner: NvioOwner,
    windows: ReadonlyMap<number, NvioWindow>,
    reconstruction: readonly Mismatch[],
  ) {
    this.#machine = machine;
    this.#runner = runner;
    this.#owner = owner;
    this.#windows = windows;
    this.#poolPage = runner.poolPageLines();
    for (const mismatch of reconstruction) {
      const [, digits] = /^k=(\d+)\b/.exec(mismatch.field) ?? [];
      const k = digits === undefined ? null : Number(digits);
      this.#reconstruction.set(k, [...(this.#reconstruction.get(k) ?? []), mismatch]);
    }
  }

  replay(record: JsonRecord): readonly Mismatch[] {
    const request = nvioRecord(record);
    const output = new RecordedOutput();
    this.#replayed.add(request.k);
    const outcome = this.#runner.run(request);
    output.check('ret', record['ret'], outcome.ret);
    output.check('errno', record['errno'], outcome.errno);
    const window = this.#windows.get(request.k);
    if (window === undefined) output.check('trace', null, `nvio k=${request.k}`);
    else this.#compare(window, request, outcome, output);
    return [...output.mismatches, ...(this.#reconstruction.get(request.k) ?? [])];
  }

  finish(): readonly Mismatch[] {
    const output = new RecordedOutput();
    const left = [...this.#windows.keys()].filter((k) => !this.#replayed.has(k));
    output.check('requests of the trace not in the list', [], left);
    output.check('nothing is mapped at the end', true, this.#machine.atRest());
    return [...output.mismatches, ...(this.#reconstruction.get(null) ?? [])];
  }

  #compare(window: NvioWindow, request: NvioRecord, outcome: NvioOutcome, output: RecordedOutput): void {
    checkMarkers(window, request, outcome, output);
    output.check('calls behind the end marker', [], lateCalls(window, this.#owner));
    const recorded = new NvioLines(this.#owner);
    for (const line of window.lines) recorded.add(line);
    compareMapped(recorded, outcome, output);
    compareUnmapped(recorded.unmapped, outcome.lines.unmapped, output);
    for (const page of recorded.poolPages) output.check('page of a descriptor pool', page, this.#poolPage);
  }
}

function checkMarkers(
  window: NvioWindow,
  { io, total }: NvioRecord,
  { ret }: NvioOutcome,
  output: RecordedOutput,
): void {
  const start = `${io.operation} pos=${io.position} total=${total} niov=${io.iovecs.length}`;
  // The style of the list's generator follows from nothing.
  output.check(
    'start marker',
    window.starts.map((text) => text.replace(/ style=\d+$/, '')),
    [start],
  );
  output.check('end marker', window.ends, [`ret=${ret}`]);
  output.check('unreadable lines', window.unreadable, []);
}

/** A call returns when all its requests are unmapped: only timers come later. */
const lateCalls = ({ late }: NvioWindow, { device }: NvioOwner): string[] =>
  late
    .filter(({ event, payload }) => CALLS.has(event) && payload.startsWith(`${device} `))
    .map(({ number, event }) => `${number}: ${event}`);

function compareMapped(recorded: NvioLines, { lines, linked }: NvioOutcome, output: RecordedOutput): void {
  const count = Math.max(recorded.mapped.length, lines.mapped.length);
  for (let at = 0; at < count; at += 1) {
    const found = recorded.mapped[at];
    const elsewhere = linked.has(at) && found?.follows === false ? ' (not behind the one before)' : '';
    const expected = found === undefined ? null : found.text + elsewhere;
    const got = lines.mapped[at]?.text ?? null;
    if (expected === got) continue;
    output.check(`trace line ${found?.number ?? 'missing'}`, expected, got);
    return;
  }
}

/** Both lists are sorted; the first group that only one of them has is named. */
function compareUnmapped(recorded: readonly string[], got: readonly string[], output: RecordedOutput): void {
  const at = recorded.findIndex((group, index) => group !== got[index]);
  const first = at < 0 ? recorded.length : at;
  if (at < 0 && recorded.length === got.length) return;
  output.check('unmapping', recorded[first] ?? null, got[first] ?? null);
  output.check('number of unmappings', recorded.length, got.length);
}

/** The records of the whole list: all together tell what backs the memory. One that cannot be read tells nothing. */
function recordsOfList(context: FileContext): JsonRecord[] {
  const text = context.readInput(`${context.stem}.jsonl`) ?? '';
  return text.split('\n').flatMap((line) => {
    try {
      const record = JSON.parse(line) as JsonRecord;
      nvioRecord(record);
      return [record];
    } catch {
      return [];
    }
  });
}

function openReplayer(context: FileContext | undefined): Replayer {
  const name = context === undefined ? null : nvioTraceName(context.stem);
  const trace = name === null ? null : (context?.readSibling(name) ?? null);
  const input = name === null ? null : (context?.readInput(name) ?? null);
  if (context === undefined || trace === null || input === null) {
    throw new BrokenHeader('the trace beside the request list is missing');
  }
  const boot = nvioBoot(context);
  const limits = nvioLimits(context);
  const inputWindows = nvioWindows(input);
  const device = nvioDiskName(inputWindows);
  if (device === null) throw new BrokenHeader('the trace maps nothing: it does not tell which disk it is of');
  const domainId = recordedDomainId(device, context);
  const owner = { device, domainId };
  const timer = new NvioFlushTimer(timerFlushes(inputWindows, owner));
  const machine = nvioMachine(boot, limits, { name: device, domainId }, timer);
  timer.watch(machine.cookie);
  const list = recordsOfList(context);
  const { backing } = guessBacking(
    context.stem,
    list.map((record) => nvioRecord(record).io),
  );
  const runner = new NvioRunner(machine, timer, limits, backing, owner);
  return new NvioReplayer(machine, runner, owner, nvioWindows(trace), compareReconstruction(trace, list));
}

/** The suite of request lists. */
export const nvioSuite: Suite = {
  name: 'nvio',
  headerless: true,
  accepts: isNvioRecord,
  open: (_first, context) => openReplayer(context),
  kindOf: (record) => kindWord(record, 'op'),
  outputs: { read: ['ret', 'errno'], write: ['ret', 'errno'] },
  comparedTrace: {
    nameOf: ({ stem }) => nvioTraceName(stem),
    notCompared: ['tracing_mark_write style', 'dma_alloc virt_addr', 'dma_alloc flags'],
    ordered: ['map', 'dma_map_phys'],
    notCounted: ['dma_alloc'],
  },
};
