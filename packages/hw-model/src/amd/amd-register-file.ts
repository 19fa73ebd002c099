// AmdRegisterFile: the memory-mapped registers of an AMD-Vi unit and what a write to each does.
// Source followed: AMD I/O Virtualization Technology specification 3.4.
// A 64-bit register may be written as two halves; only the half that holds an enable or a pointer acts.
// Simplified: changes take effect at once; registers that the model does not know read as 0.

import type { RegisterPair } from '../iommu-unit/register-pair.ts';
import type { AmdCommandBuffer } from './amd-command-buffer.ts';
import type { AmdCommandInterpreter } from './amd-command-interpreter.ts';
import type { AmdEventLog } from './amd-event-log.ts';
import type { AmdFeatures } from './amd-features.ts';
import { AmdControl, AmdRegister, AmdStatus } from './amd-registers.ts';
import { baseFrameOf } from './amd-ring.ts';

const PAGE = 4096;

/**
 * Registers of one unit.
 * @internal
 */
export class AmdRegisterFile {
  readonly #features: AmdFeatures;
  readonly #commands: AmdCommandBuffer;
  readonly #events: AmdEventLog;
  readonly #interpreter: AmdCommandInterpreter;
  #deviceTable: RegisterPair = [0, 0];
  #control: RegisterPair = [0, 0];
  /** IommuEn. */
  translating = false;
  /** First page frame and bytes of the device table. */
  deviceTableFrame = 0;
  deviceTableBytes: number = PAGE;

  constructor(
    features: AmdFeatures,
    commands: AmdCommandBuffer,
    events: AmdEventLog,
    interpreter: AmdCommandInterpreter,
  ) {
    this.#features = features;
    this.#commands = commands;
    this.#events = events;
    this.#interpreter = interpreter;
  }

  readPair(offset: number): RegisterPair {
    switch (offset) {
      case AmdRegister.DEVICE_TABLE_BASE:
        return this.#deviceTable;
      case AmdRegister.COMMAND_BASE:
        return this.#commands.base;
      case AmdRegister.EVENT_BASE:
        return this.#events.base;
      case AmdRegister.CONTROL:
        return this.#control;
      case AmdRegister.EXTENDED_FEATURES:
        return this.#features.extendedFeatures;
      case AmdRegister.COMMAND_HEAD:
        return [this.#commands.head, 0];
      case AmdRegister.COMMAND_TAIL:
        return [this.#commands.tail, 0];
      case AmdRegister.EVENT_HEAD:
        return [this.#events.head, 0];
      case AmdRegister.EVENT_TAIL:
        return [this.#events.tail, 0];
      case AmdRegister.STATUS:
        return [this.#status(), 0];
      default:
        return [0, 0];
    }
  }

  /** Writes a register whole. */
  writePair(offset: number, value: RegisterPair): void {
    switch (offset) {
      case AmdRegister.DEVICE_TABLE_BASE:
        this.#deviceTable = value;
        this.deviceTableFrame = baseFrameOf(value);
        this.deviceTableBytes = ((value[0] & 0x1ff) + 1) * PAGE;
        break;
      case AmdRegister.COMMAND_BASE:
        this.#commands.base = value;
        break;
      case AmdRegister.EVENT_BASE:
        this.#events.base = value;
        break;
      case AmdRegister.CONTROL:
        this.#setControl(value);
        break;
      case AmdRegister.COMMAND_HEAD:
        this.#commands.head = value[0];
        break;
      case AmdRegister.COMMAND_TAIL:
        this.#commands.tail = value[0];
        break;
      case AmdRegister.EVENT_HEAD:
        this.#events.head = value[0];
        break;
      case AmdRegister.EVENT_TAIL:
        this.#events.tail = value[0];
        break;
      case AmdRegister.STATUS:
        this.#events.clearStatus(value[0]);
        if ((value[0] & AmdStatus.completionInterrupt) !== 0) this.#interpreter.waitInterrupt = false;
        break;
      default:
    }
  }

  /** Writes one half of a register; the other half stays. Nothing follows a write to the upper half of a pointer. */
  writeHalf(offset: number, value: number): void {
    const upper = (offset & 4) !== 0;
    const register = offset - (upper ? 4 : 0);
    if (upper && register >= AmdRegister.COMMAND_HEAD) return;
    const [low, high] = this.readPair(register);
    if (register === AmdRegister.STATUS || !upper) this.writePair(register, [value, high]);
    else this.writePair(register, [low, value]);
  }

  #setControl(value: RegisterPair): void {
    const [low] = value;
    this.#control = value;
    this.translating = (low & AmdControl.iommuEnable) !== 0;
    this.#events.setControl(low);
    this.#commands.control = low;
  }

  #status(): number {
    const commands = this.#commands.running ? AmdStatus.commandBufferRunning : 0;
    const waited = this.#interpreter.waitInterrupt ? AmdStatus.completionInterrupt : 0;
    return this.#events.status | commands | waited;
  }
}
