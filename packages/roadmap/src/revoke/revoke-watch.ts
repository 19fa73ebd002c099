// RevokeWatch: looks at the machine after each step of its scheduler and remembers when each part of the revoke was over.
// Source followed: the two waits of dma_buf_invalidate_mappings' contract, seen from outside: the exporter's flag, the
// reservation's lock, the mappings, the requests that reach the memory.
// Simplified: the times are those of the first revoke; what the machine does between two looks is one step of one task.

import type { ModelEvent } from '@sgfree/hw-model';
import { bytesDiffering } from './lent-slots.ts';
import type { RevokeCast } from './revoke-cast.ts';

/** A moment: the clock step, and how many requests had reached the memory by then. @internal */
export interface RevokeMoment {
  readonly step: number;
  readonly accesses: number;
}

/** What was seen of one region. @internal */
export interface WatchedRegion {
  /** Work requests under way when the revoke started. */
  inFlight: number;
  stopped: RevokeMoment | null;
  unmapped: RevokeMoment | null;
}

/** @internal */
export class RevokeWatch {
  started: RevokeMoment | null = null;
  calledBack: RevokeMoment | null = null;
  fencesRetired: RevokeMoment | null = null;
  mapsReturned: RevokeMoment | null = null;
  waitReturned: RevokeMoment | null = null;
  givenOut: RevokeMoment | null = null;
  readonly regions: readonly WatchedRegion[];
  /** Bytes that changed while nobody may have written. */
  bytesChangedLate = 0;
  readonly violations: string[] = [];
  refused = 0;
  /** The owner hangs: what the regions do from now on is not their answer to the revoke. */
  hung = false;
  readonly #cast: RevokeCast;
  #eventsSeen = 0;
  #snapshot: Uint8Array | null = null;
  #quietSince = -1;
  #late = 0;

  constructor(cast: RevokeCast) {
    this.#cast = cast;
    this.regions = cast.roles.map(() => ({ inFlight: 0, stopped: null, unmapped: null }));
  }

  /** Looks at the machine as it stands. */
  look(): void {
    const { events } = this.#cast.log;
    for (; this.#eventsSeen < events.length; this.#eventsSeen += 1) {
      this.#heard(events[this.#eventsSeen] as ModelEvent);
    }
    if (this.started !== null && this.givenOut === null && !this.hung) this.#lookAtRevoke(this.started);
  }

  /** The end of what is watched: nothing that comes now belongs to the revoke. */
  close(): void {
    this.look();
    this.#compare();
  }

  /** Requests that reached the memory before the revoke. */
  get before(): number {
    return (this.started ?? this.now).accesses;
  }

  /** Requests that reached it while the exporter waited. */
  get during(): number {
    return (this.waitReturned ?? this.now).accesses - this.before;
  }

  /** True while a wait has returned and the memory has not been given out again: nobody may touch it. */
  get quiet(): boolean {
    return this.#quietSince >= 0;
  }

  /** Requests that reached the memory when none may, over all revokes. */
  get late(): number {
    return this.#late + (this.quiet ? this.now.accesses - this.#quietSince : 0);
  }

  /** The last request of an importer before the memory was given out again, in steps from the start; 0 = none after it. */
  get lastAccess(): number {
    const { accesses } = this.#cast.memory;
    const last = accesses[(this.givenOut ?? this.now).accesses - 1];
    return last === undefined || this.started === null ? 0 : Math.max(0, last.step - this.started.step);
  }

  get now(): RevokeMoment {
    return { step: this.#cast.scene.clock.step, accesses: this.#cast.memory.accesses.length };
  }

  #heard(event: ModelEvent): void {
    switch (event.kind) {
      case 'vfio:revoke-start':
        this.#start();
        break;
      case 'vfio:revoked':
        this.#takenBack();
        break;
      case 'vfio:unrevoked':
        this.#giveOut();
        break;
      case 'hw:refused':
        this.refused += 1;
        break;
      case 'violation':
        this.violations.push(String(event['rule']));
        break;
      default:
    }
  }

  #start(): void {
    if (this.started !== null) return;
    this.started = this.now;
    for (const [i, { traffic }] of this.#cast.roles.entries()) {
      const region = this.regions[i];
      if (region !== undefined) region.inFlight = traffic.outstanding;
    }
  }

  #takenBack(): void {
    this.waitReturned ??= this.now;
    this.#quietSince = this.now.accesses;
    this.#snapshot = this.#bytes();
  }

  #giveOut(): void {
    this.#compare();
    this.#late = this.late;
    this.#quietSince = -1;
    this.givenOut ??= this.now;
  }

  #lookAtRevoke(start: RevokeMoment): void {
    const { lent, roles } = this.#cast;
    const { now } = this;
    for (const [i, { importer }] of roles.entries()) {
      const region = this.regions[i];
      if (region === undefined || importer.refused !== 0) continue;
      if (importer.stopped) region.stopped ??= now;
      if (!importer.mapped) region.unmapped ??= now;
    }
    if (roles.every(({ importer }) => !importer.mapped)) this.mapsReturned ??= now;
    // In the step that takes the reservation the exporter marks the buffer and makes the first call.
    if (lent.revoked) this.calledBack ??= now;
    const waited = lent.revoked && !lent.dmabuf.resv.mutex.locked;
    if (waited && now.step >= start.step) this.fencesRetired ??= now;
  }

  #compare(): void {
    if (this.#snapshot === null) return;
    this.bytesChangedLate += bytesDiffering(this.#bytes(), this.#snapshot);
    this.#snapshot = null;
  }

  #bytes(): Uint8Array {
    return this.#cast.memory.peek(0, this.#cast.slots.bytes);
  }
}
