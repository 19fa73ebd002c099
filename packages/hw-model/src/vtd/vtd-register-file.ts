// VtdRegisterFile: the memory-mapped registers of a VT-d unit and what a write to each does.
// Source followed: VT-d specification 11.4; GCMD commands follow 11.4.4 (each sets or clears its bit in GSTS).
// The root pointer takes effect on GCMD.SRTP, the queue on GCMD.QIE, translation on GCMD.TE.
// Simplified: commands complete at once; CCMD, protected-memory and page-request registers read as 0.

import { frameInPair, type RegisterPair } from '../iommu-unit/register-pair.ts';
import type { VtdCapabilities } from './vtd-capabilities.ts';
import type { VtdDescriptorInterpreter } from './vtd-descriptor-interpreter.ts';
import type { VtdFaultLog } from './vtd-fault-log.ts';
import type { VtdInvalidationQueue } from './vtd-invalidation-queue.ts';
import { VtdCommand, VtdFaultStatus, VtdRegister } from './vtd-registers.ts';
import type { VtdUnitCounters } from './vtd-unit-counters.ts';

const VERSION = 0x10;
/** GCMD bits whose state GSTS simply follows. */
const LEVEL_COMMANDS =
  VtdCommand.translationEnable |
  VtdCommand.queueEnable |
  VtdCommand.interruptRemapEnable |
  VtdCommand.compatibilityInterrupts;
/** GCMD bits that are done once and leave their status bit set. */
const ONE_SHOT_COMMANDS = VtdCommand.setRootPointer | VtdCommand.setInterruptPointer;

/**
 * Registers of one unit.
 * @internal
 */
export class VtdRegisterFile {
  readonly #capabilities: VtdCapabilities;
  readonly #faults: VtdFaultLog;
  readonly #queue: VtdInvalidationQueue;
  readonly #interpreter: VtdDescriptorInterpreter;
  readonly #counters: VtdUnitCounters;
  /** Registers without a meaning to the model: what was written is read back. */
  readonly #plain = new Map<number, number>();
  #rootAddress: RegisterPair = [0, 0];
  #status = 0;
  /** Page frame of the root table in force, and RTADDR bits 11:10 of it. */
  rootFrame = 0;
  rootMode = 0;
  /** GSTS.TES. */
  translating = false;

  constructor(
    capabilities: VtdCapabilities,
    faults: VtdFaultLog,
    queue: VtdInvalidationQueue,
    interpreter: VtdDescriptorInterpreter,
    counters: VtdUnitCounters,
  ) {
    this.#capabilities = capabilities;
    this.#faults = faults;
    this.#queue = queue;
    this.#interpreter = interpreter;
    this.#counters = counters;
  }

  read(offset: number): number {
    const { cap, ecap } = this.#capabilities;
    switch (offset) {
      case VtdRegister.VER:
        return VERSION;
      case VtdRegister.CAP:
        return cap[0];
      case VtdRegister.CAP + 4:
        return cap[1];
      case VtdRegister.ECAP:
        return ecap[0];
      case VtdRegister.ECAP + 4:
        return ecap[1];
      case VtdRegister.GCMD:
        return 0;
      case VtdRegister.GSTS:
        return this.#status;
      case VtdRegister.RTADDR:
        return this.#rootAddress[0];
      case VtdRegister.RTADDR + 4:
        return this.#rootAddress[1];
      case VtdRegister.FSTS:
        return this.#faults.status;
      case VtdRegister.FECTL:
        return this.#faults.control;
      case VtdRegister.IQH:
        return this.#queue.head;
      case VtdRegister.IQT:
        return this.#queue.tail;
      case VtdRegister.IQA:
        return this.#queue.base[0];
      case VtdRegister.IQA + 4:
        return this.#queue.base[1];
      case VtdRegister.IQER:
        return this.#queue.error;
      case VtdRegister.ICS:
        return this.#interpreter.waitInterrupt ? 1 : 0;
      default:
        return this.#readFault(offset) ?? this.#plain.get(offset) ?? 0;
    }
  }

  write(offset: number, value: number): void {
    switch (offset) {
      case VtdRegister.GCMD:
        this.#command(value);
        break;
      case VtdRegister.RTADDR:
        this.#rootAddress = [(value & 0xfffffc00) >>> 0, this.#rootAddress[1]];
        break;
      case VtdRegister.RTADDR + 4:
        this.#rootAddress = [this.#rootAddress[0], value];
        break;
      case VtdRegister.FSTS:
        this.#faults.writeStatus(value);
        if ((value & VtdFaultStatus.queueError) !== 0) this.#queue.resume();
        break;
      case VtdRegister.FECTL:
        this.#faults.control = value;
        break;
      case VtdRegister.IQT:
        this.#queue.tail = value & 0x7fff0;
        break;
      case VtdRegister.IQA:
        this.#queue.base = [value, this.#queue.base[1]];
        break;
      case VtdRegister.IQA + 4:
        this.#queue.base = [this.#queue.base[0], value];
        break;
      case VtdRegister.ICS:
        if ((value & 1) !== 0) this.#interpreter.waitInterrupt = false;
        break;
      case VtdRegister.FEDATA:
      case VtdRegister.FEADDR:
      case VtdRegister.FEUADDR:
        this.#plain.set(offset, value);
        break;
      default:
        this.#writeFault(offset, value);
    }
  }

  /** A 64-bit write: both halves take effect together. */
  writePair(offset: number, value: RegisterPair): void {
    if (offset === VtdRegister.RTADDR) this.#rootAddress = [(value[0] & 0xfffffc00) >>> 0, value[1]];
    else if (offset === VtdRegister.IQA) this.#queue.base = value;
    else {
      this.write(offset, value[0]);
      this.write(offset + 4, value[1]);
    }
  }

  #command(value: number): void {
    if ((value & VtdCommand.writeBufferFlush) !== 0) this.#counters.writeBufferFlushes += 1;
    if ((value & VtdCommand.setRootPointer) !== 0) {
      this.rootFrame = frameInPair(this.#rootAddress);
      this.rootMode = (this.#rootAddress[0] >>> 10) & 3;
      if (this.#capabilities.rootPointerInvalidates) this.#interpreter.invalidateEverything();
    }
    const kept = this.#status & ONE_SHOT_COMMANDS;
    this.#status = ((value & LEVEL_COMMANDS) | kept | (value & ONE_SHOT_COMMANDS)) >>> 0;
    this.translating = (this.#status & VtdCommand.translationEnable) !== 0;
    this.#queue.enabled = (this.#status & VtdCommand.queueEnable) !== 0;
  }

  #readFault(offset: number): number | undefined {
    const at = offset - this.#capabilities.faultRecordOffset;
    if (at < 0 || at >= this.#faults.recordCount * 16) return undefined;
    return this.#faults.readWord(Math.floor(at / 16), (at & 0xf) >>> 2);
  }

  #writeFault(offset: number, value: number): void {
    const at = offset - this.#capabilities.faultRecordOffset;
    if (at < 0 || at >= this.#faults.recordCount * 16) return;
    this.#faults.writeWord(Math.floor(at / 16), (at & 0xf) >>> 2, value);
  }
}
