// The newest surface of hw-model: the hardware, with no kernel policy at all.

export {
  ADDRESS_LIMIT,
  type AddressIn,
  addOffset,
  alignDown,
  alignUp,
  byteDistance,
  type DmaAddr,
  dmaAddr,
  dmaOfFrame,
  frameOf,
  hex,
  offsetWithin,
  PAGE_SHIFT,
  PAGE_SIZE,
  type PciBusAddr,
  type PhysAddr,
  pciBusAddr,
  physAddr,
  physOfFrame,
} from './addresses.ts';
export { Clock, type ClockTimer } from './clock.ts';
export { EventLog, type ModelEvent } from './event-log.ts';
export { InternalError } from './internal-error.ts';
export { type MmioTarget, PhysicalMemory, type PhysRange } from './physical-memory.ts';
export type { TranslationAgent } from './translation-agent.ts';
