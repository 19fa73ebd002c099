// NvioRun: one request of a list on the model: split, mapped request by request, then unmapped in the same order.
// Source followed: block/fops.c (what preadv and pwritev return), drivers/nvme/host/pci.c (nvme_queue_rq,
// nvme_pci_complete_rq).
// Simplified: every command completes, and none before the last is mapped.

import { type BlockRequest, type IovaIod, type PageBacking, requestsOf } from '@sgfree/block/stage-1';
import { traceLine } from '@sgfree/trace';
import type { NvioFlushTimer } from './nvio-flush-timer.ts';
import type { NvioLimits } from './nvio-limits.ts';
import { NvioLines, type NvioOwner } from './nvio-lines.ts';
import type { NvioMachine } from './nvio-machine.ts';
import type { NvioRecord } from './nvio-record.ts';

/** What the model did for one record. */
export interface NvioOutcome {
  /** As the call returns it in user space. */
  readonly ret: number;
  readonly errno: number;
  readonly lines: NvioLines;
  /** Indices of the `map` lines that must start where the one before ends: links of one two-step request. */
  readonly linked: ReadonlySet<number>;
}

const EINVAL = 22;
const EIO = 5;
const MODEL_CPU = 0;

/** Runs requests on a machine whose events go to a timer's log. */
export class NvioRunner {
  readonly #machine: NvioMachine;
  readonly #timer: NvioFlushTimer;
  readonly #limits: NvioLimits;
  readonly #backing: PageBacking;
  readonly #owner: NvioOwner;

  constructor(
    machine: NvioMachine,
    timer: NvioFlushTimer,
    limits: NvioLimits,
    backing: PageBacking,
    owner: NvioOwner,
  ) {
    this.#machine = machine;
    this.#timer = timer;
    this.#limits = limits;
    this.#backing = backing;
    this.#owner = owner;
  }

  /** The lines that one page for a descriptor pool leaves. */
  poolPageLines(): string {
    const lines = this.#newLines();
    this.#machine.growPool();
    this.#take(lines);
    return lines.poolPages[0] ?? '';
  }

  run({ k, io, total }: NvioRecord): NvioOutcome {
    const lines = this.#newLines();
    const linked = new Set<number>();
    const requests = requestsOf(io, this.#backing, this.#limits.queue);
    if (!requests.ok) return { ret: -1, errno: EINVAL, lines, linked };
    const iods = requests.value.map((request) => this.#map(request, lines, linked));
    this.#timer.begin(k);
    for (const iod of iods) if (iod !== null) this.#machine.mapper.unmapData(iod);
    this.#timer.end();
    this.#take(lines);
    const ok = !iods.includes(null);
    return { ret: ok ? total : -1, errno: ok ? 0 : EIO, lines, linked };
  }

  #newLines(): NvioLines {
    this.#timer.clear();
    this.#timer.enabled = true;
    return new NvioLines(this.#owner);
  }

  /** Null when the request could not be mapped. */
  #map(request: BlockRequest, lines: NvioLines, linked: Set<number>): IovaIod | null {
    const { mapper } = this.#machine;
    const iod = mapper.newIod(request);
    const status = mapper.mapData(iod);
    const from = lines.mapped.length;
    this.#take(lines);
    if (iod.coalesced) {
      for (let at = from + 1; at < lines.mapped.length; at += 1) {
        if (lines.mapped[at]?.text.startsWith('map: ') === true) linked.add(at);
      }
    }
    return status === 'ok' ? iod : null;
  }

  #take(lines: NvioLines): void {
    for (const event of this.#timer.events) {
      const line = traceLine(event);
      if (line === undefined) continue;
      const colon = line.indexOf(': ');
      lines.add({
        number: 0,
        cpu: MODEL_CPU,
        context: '',
        event: line.slice(0, colon),
        payload: line.slice(colon + 2),
      });
    }
    this.#timer.clear();
  }
}
