// The admin commands a driver needs to get to its first I/O: queues, Identify, number of queues.
// Source followed: NVM Express Base Specification 2.0, sections 5.3 to 5.7, 5.15, 5.17, 5.27.1.5.
// Simplified: every other opcode is invalid; PRP only, as the PCIe transport demands of admin commands.

import { dmaAddr, offsetWithin } from '../../addresses.ts';
import type { ModelTask } from '../../yield-point.ts';
import type { BlockMedium } from './block-medium.ts';
import type { NvmeCommand } from './nvme-command.ts';
import type { NvmeDataPath } from './nvme-data-path.ts';
import {
  identifyController,
  identifyNamespace,
  identifyNamespaceList,
  type NvmeControllerIdentity,
} from './nvme-identify.ts';
import { NvmeCompletionQueue, NvmeSubmissionQueue } from './nvme-queue.ts';
import { NVME_MAX_QUEUE_ID, type NvmeQueueTable } from './nvme-queue-table.ts';
import type { NvmeRegisters } from './nvme-registers.ts';
import { NVME_STATUS, type NvmeOutcome, nvmeOutcome } from './nvme-status.ts';
import { onBus } from './transfer-ranges.ts';

/**
 * Opcodes of the admin commands.
 * @public
 */
export const NVME_ADMIN: {
  readonly deleteIoSubmissionQueue: 0x00;
  readonly createIoSubmissionQueue: 0x01;
  readonly deleteIoCompletionQueue: 0x04;
  readonly createIoCompletionQueue: 0x05;
  readonly identify: 0x06;
  readonly setFeatures: 0x09;
  readonly getFeatures: 0x0a;
} = {
  deleteIoSubmissionQueue: 0x00,
  createIoSubmissionQueue: 0x01,
  deleteIoCompletionQueue: 0x04,
  createIoCompletionQueue: 0x05,
  identify: 0x06,
  setFeatures: 0x09,
  getFeatures: 0x0a,
};

const FEATURE_NUMBER_OF_QUEUES = 0x07;

/**
 * Executes admin commands.
 * @internal
 */
export class NvmeAdminCommands {
  readonly #queues: NvmeQueueTable;
  readonly #data: NvmeDataPath;
  readonly #medium: BlockMedium;
  readonly #identity: NvmeControllerIdentity;
  readonly #registers: NvmeRegisters;

  constructor(
    queues: NvmeQueueTable,
    data: NvmeDataPath,
    medium: BlockMedium,
    identity: NvmeControllerIdentity,
    registers: NvmeRegisters,
  ) {
    this.#queues = queues;
    this.#data = data;
    this.#medium = medium;
    this.#identity = identity;
    this.#registers = registers;
  }

  *execute(command: NvmeCommand): ModelTask<NvmeOutcome> {
    if (command.psdt !== 0 || command.fuse !== 0) return nvmeOutcome(NVME_STATUS.invalidField);
    switch (command.opcode) {
      case NVME_ADMIN.createIoCompletionQueue:
        return nvmeOutcome(this.#createCompletion(command));
      case NVME_ADMIN.createIoSubmissionQueue:
        return nvmeOutcome(this.#createSubmission(command));
      case NVME_ADMIN.deleteIoCompletionQueue:
        return nvmeOutcome(this.#deleteCompletion(command));
      case NVME_ADMIN.deleteIoSubmissionQueue:
        return nvmeOutcome(yield* this.#deleteSubmission(command));
      case NVME_ADMIN.identify:
        return nvmeOutcome(yield* this.#identify(command));
      case NVME_ADMIN.setFeatures:
      case NVME_ADMIN.getFeatures:
        return this.#features(command);
      default:
        return nvmeOutcome(NVME_STATUS.invalidOpcode);
    }
  }

  #createCompletion(command: NvmeCommand): number {
    const id = command.dword(10) & 0xffff;
    const wrong = this.#checkNewQueue(command, this.#queues.completion.has(id));
    if (wrong !== 0) return wrong;
    const entries = (command.dword(10) >>> 16) + 1;
    const flags = command.dword(11);
    const vector = (flags & 2) !== 0 ? flags >>> 16 : -1;
    this.#queues.addCompletion(new NvmeCompletionQueue(id, dmaAddr(command.prp1), entries, vector));
    return NVME_STATUS.success;
  }

  #createSubmission(command: NvmeCommand): number {
    const id = command.dword(10) & 0xffff;
    const completions = this.#queues.completion.get(command.dword(11) >>> 16);
    if (completions === undefined || completions.id === 0) return NVME_STATUS.completionQueueInvalid;
    const wrong = this.#checkNewQueue(command, this.#queues.submission.has(id));
    if (wrong !== 0) return wrong;
    const entries = (command.dword(10) >>> 16) + 1;
    this.#queues.addSubmission(new NvmeSubmissionQueue(id, dmaAddr(command.prp1), entries, completions));
    return NVME_STATUS.success;
  }

  #checkNewQueue(command: NvmeCommand, taken: boolean): number {
    const id = command.dword(10) & 0xffff;
    const entries = (command.dword(10) >>> 16) + 1;
    if (id === 0 || id > NVME_MAX_QUEUE_ID || taken) return NVME_STATUS.invalidQueueIdentifier;
    const { maxQueueEntries, entrySizesSet } = this.#registers;
    if (entries < 2 || entries > maxQueueEntries || !entrySizesSet) return NVME_STATUS.invalidQueueSize;
    // CAP.CQR: the ring must be physically contiguous (PC), and it starts a memory page.
    if ((command.dword(11) & 1) === 0 || !onBus(command.prp1, entries * 64)) return NVME_STATUS.invalidField;
    return offsetWithin(command.prp1, this.#data.pageBytes) === 0
      ? NVME_STATUS.success
      : NVME_STATUS.invalidPrpOffset;
  }

  #deleteCompletion(command: NvmeCommand): number {
    const queue = this.#queues.completion.get(command.dword(10) & 0xffff);
    if (queue === undefined || queue.id === 0) return NVME_STATUS.invalidQueueIdentifier;
    if (this.#queues.used(queue)) return NVME_STATUS.invalidQueueDeletion;
    queue.live = false;
    this.#queues.completion.delete(queue.id);
    return NVME_STATUS.success;
  }

  *#deleteSubmission(command: NvmeCommand): ModelTask<number> {
    const queue = this.#queues.submission.get(command.dword(10) & 0xffff);
    if (queue === undefined || queue.id === 0) return NVME_STATUS.invalidQueueIdentifier;
    queue.live = false;
    this.#queues.submission.delete(queue.id);
    // Commands already fetched are completed before the deletion is.
    yield { at: 'nvme:drain', until: () => queue.inFlight === 0 && !queue.fetching };
    return NVME_STATUS.success;
  }

  *#identify(command: NvmeCommand): ModelTask<number> {
    const structure = command.dword(10) & 0xff;
    if (structure === 1) return yield* this.#data.toHost(command, identifyController(this.#identity));
    if (structure === 2) {
      return yield* this.#data.toHost(command, identifyNamespaceList(command.namespaceId));
    }
    if (structure !== 0) return NVME_STATUS.invalidField;
    if (command.namespaceId !== 1) return NVME_STATUS.invalidNamespace;
    return yield* this.#data.toHost(command, identifyNamespace(this.#medium));
  }

  #features(command: NvmeCommand): NvmeOutcome {
    if ((command.dword(10) & 0xff) !== FEATURE_NUMBER_OF_QUEUES) return nvmeOutcome(NVME_STATUS.invalidField);
    // Both counts are 0-based: identifiers 1 to 63 exist.
    const count = NVME_MAX_QUEUE_ID - 1;
    return nvmeOutcome(NVME_STATUS.success, count * 0x10000 + count);
  }
}
