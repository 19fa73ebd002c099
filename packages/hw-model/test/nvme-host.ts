// The least host software an NVMe controller needs: it maps nothing, allocates nothing, and rings doorbells.
// Source followed: NVM Express Base Specification 2.0, section 3.5.1 (initialization) and 3.3 (queues).
// Simplified: rings at fixed places below 1 MiB; every call runs the machine until nothing moves any more.

import { addOffset, NVME_ADMIN, NVME_REGISTER, type PhysAddr } from '../src/index.ts';
import type { NvmeMachine } from './nvme-machine.ts';

/** Where the rings of queue `id` lie in RAM. */
export const ringsOf = (id: number): { readonly submission: number; readonly completion: number } => ({
  submission: 0x10000 + id * 0x8000,
  completion: 0x10000 + id * 0x8000 + 0x4000,
});

/** A command by its fields; the data pointer is two PRPs or an SGL descriptor. */
export interface CommandFields {
  readonly opcode: number;
  readonly commandId?: number;
  readonly namespaceId?: number;
  readonly flags?: number;
  readonly prps?: readonly [number, number];
  readonly sgl?: Uint8Array;
  readonly lba?: number;
  readonly dword10?: number;
  readonly dword11?: number;
  readonly dword12?: number;
}

/** A completion entry by its fields. */
export interface Completion {
  readonly result: number;
  readonly submissionHead: number;
  readonly submissionId: number;
  readonly commandId: number;
  readonly phase: number;
  /** Without phase; Do Not Retry included. */
  readonly status: number;
}

interface Ring {
  readonly entries: number;
  tail: number;
  head: number;
  phase: number;
}

/** The 64 bytes of a submission entry. */
export function encodeCommand(fields: CommandFields): Uint8Array {
  const bytes = new Uint8Array(64);
  const view = new DataView(bytes.buffer);
  bytes[0] = fields.opcode;
  bytes[1] = fields.flags ?? (fields.sgl === undefined ? 0 : 0x40);
  view.setUint16(2, fields.commandId ?? 0, true);
  view.setUint32(4, fields.namespaceId ?? 0, true);
  view.setBigUint64(24, BigInt(fields.prps?.[0] ?? 0), true);
  view.setBigUint64(32, BigInt(fields.prps?.[1] ?? 0), true);
  if (fields.sgl !== undefined) bytes.set(fields.sgl, 24);
  view.setUint32(40, fields.dword10 ?? 0, true);
  view.setUint32(44, fields.dword11 ?? 0, true);
  if (fields.lba !== undefined) view.setBigUint64(40, BigInt(fields.lba), true);
  view.setUint32(48, fields.dword12 ?? 0, true);
  return bytes;
}

/** Host software of one controller. */
export class NvmeHost {
  readonly machine: NvmeMachine;
  readonly #registers: PhysAddr;
  readonly #rings = new Map<number, Ring>();

  constructor(machine: NvmeMachine) {
    this.machine = machine;
    this.#registers = machine.fabric.barPhys(machine.controller.endpoint, 0);
  }

  read32(offset: number): number {
    const bytes = new Uint8Array(4);
    if (!this.machine.memory.read(addOffset(this.#registers, offset), bytes)) throw new Error('no register');
    return new DataView(bytes.buffer).getUint32(0, true);
  }

  /** False when the controller refuses the access. */
  write32(offset: number, value: number): boolean {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value, true);
    return this.machine.memory.write(addOffset(this.#registers, offset), bytes);
  }

  /** Admin queues of `entries` entries and CC.EN. */
  enable(entries = 16, configuration = 0x460001): void {
    this.write32(NVME_REGISTER.aqa, (entries - 1) * 0x10001);
    this.write32(NVME_REGISTER.asq, ringsOf(0).submission);
    this.write32(NVME_REGISTER.acq, ringsOf(0).completion);
    this.#newRing(0, entries);
    this.write32(NVME_REGISTER.cc, configuration);
  }

  /** Creates I/O queue pair `id` by admin commands; the statuses of both. */
  createQueues(id: number, entries: number): readonly [number, number] {
    const { submission, completion } = ringsOf(id);
    const size = (entries - 1) * 0x10000 + id;
    this.#newRing(id, entries);
    const made = this.run(0, {
      opcode: NVME_ADMIN.createIoCompletionQueue,
      prps: [completion, 0],
      dword10: size,
      dword11: 1,
    });
    const paired = this.run(0, {
      opcode: NVME_ADMIN.createIoSubmissionQueue,
      prps: [submission, 0],
      dword10: size,
      dword11: id * 0x10000 + 1,
    });
    return [made.status, paired.status];
  }

  /** Puts commands into ring `id` and rings its doorbell once. */
  submit(id: number, commands: readonly CommandFields[]): void {
    const ring = this.#ring(id);
    for (const command of commands) {
      this.machine.store(ringsOf(id).submission + 64 * ring.tail, encodeCommand(command));
      ring.tail = (ring.tail + 1) % ring.entries;
    }
    this.write32(NVME_REGISTER.doorbells + 8 * id, ring.tail);
  }

  /** Takes all completions that are there, and rings the head doorbell when `acknowledge`. */
  reap(id: number, acknowledge = true): Completion[] {
    const ring = this.#ring(id);
    const found: Completion[] = [];
    for (;;) {
      const next = this.#peek(id, ring.head);
      if (next.phase !== ring.phase) break;
      found.push(next);
      ring.head += 1;
      if (ring.head < ring.entries) continue;
      ring.head = 0;
      ring.phase = 1 - ring.phase;
    }
    if (acknowledge) this.acknowledge(id);
    return found;
  }

  /** Tells the controller which completions were taken. */
  acknowledge(id: number): void {
    this.write32(NVME_REGISTER.doorbells + 8 * id + 4, this.#ring(id).head);
  }

  /** Runs one command to its end. */
  run(id: number, command: CommandFields): Completion {
    this.submit(id, [command]);
    this.machine.scheduler.run();
    const [completion, ...more] = this.reap(id);
    if (completion === undefined || more.length > 0) throw new Error('not exactly one completion');
    return completion;
  }

  #peek(id: number, slot: number): Completion {
    const view = new DataView(this.machine.bytesAt(ringsOf(id).completion + 16 * slot, 16).buffer);
    return {
      result: view.getUint32(0, true),
      submissionHead: view.getUint16(8, true),
      submissionId: view.getUint16(10, true),
      commandId: view.getUint16(12, true),
      phase: view.getUint16(14, true) & 1,
      status: view.getUint16(14, true) >> 1,
    };
  }

  #newRing(id: number, entries: number): void {
    this.#rings.set(id, { entries, tail: 0, head: 0, phase: 1 });
    this.machine.store(ringsOf(id).completion, new Uint8Array(16 * entries));
  }

  #ring(id: number): Ring {
    const ring = this.#rings.get(id);
    if (ring === undefined) throw new Error(`no ring ${id}`);
    return ring;
  }
}
