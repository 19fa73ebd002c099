// A second reader of trace lines, by regular expressions and another division of the work: the oracle of the tests.
// Source followed: the print formats as the notes on traces give them, for `trace` output with irq-info.
// Simplified: only the default prefix; a line it does not understand is undefined; slow.

import { TraceEvent } from '../../src/trace-event.ts';
import { copyOf, type EventCopy } from './read-whole.ts';

const LINE = /^ *(\S.*?-\d+) +\[(\d{3,})\] \S{5,7} +(\d+)\.(\d{6}): (\w+): (.*)$/;

const number = (text: string | undefined, base: number): number => {
  if (/^f{16}$/.test(text ?? '')) return -1;
  const value = Number.parseInt(text ?? '', base);
  if (!(value < 2 ** 52)) throw new RangeError(`${text} is no number of the model`);
  return value;
};
const hex = (text: string | undefined): number => number(text, 16);
const dec = (text: string | undefined): number => number(text, 10);
const list = (text: string): number[] =>
  text === '{}' ? [] : [...text.matchAll(/0x([0-9a-f]+)/g)].map(([, digits]) => hex(digits));

/** `key=value` pairs behind the device of dma events. */
function dmaPair(event: EventCopy, key: string, value: string): void {
  if (key === 'dir') event.direction = value as EventCopy['direction'];
  else if (key === 'dma_addr') event.dmaAddr = hex(value);
  else if (key === 'size') event.size = dec(value);
  else if (key === 'phys_addr') event.physAddr = hex(value);
  else if (key === 'attrs') event.attrs = value;
  else if (key === 'virt_addr') event.virtAddr = value;
  else if (key === 'flags') event.gfp = value;
  else if (key === 'nents') [event.nents = 0, event.fullNents = 0] = value.split('/').map(Number);
  else if (key === 'ents') [event.ents = 0, event.fullEnts = 0] = value.split('/').map(Number);
  else if (key === 'dma_addrs') event.dmaAddrs = list(value);
  else if (key === 'sizes') event.sizes = list(value);
  else if (key === 'phys_addrs') event.physAddrs = list(value);
  else throw new RangeError(`no pair ${key}`);
}

function dma(event: EventCopy, text: string): void {
  const [device = '', ...pairs] = text.split(' ');
  event.device = device;
  for (const pair of pairs) {
    const [key = '', value = ''] = pair.split('=');
    dmaPair(event, key, value);
  }
  if (event.name === 'dma_map_sg') return;
  event.nents = event.physAddrs.length;
  event.fullNents = event.nents;
  event.ents = event.dmaAddrs.length;
  event.fullEnts = event.ents;
}

function iommu(event: EventCopy, text: string): void {
  const value = (key: string): string | undefined => new RegExp(`[: ]${key}=(?:0x)?([^ ]+)`).exec(text)?.[1];
  if (value('iova') !== undefined) event.dmaAddr = hex(value('iova'));
  if (value('paddr') !== undefined) event.physAddr = hex(value('paddr'));
  if (value('size') !== undefined) event.size = dec(value('size'));
  if (value('unmapped_size') !== undefined) event.unmappedSize = dec(value('unmapped_size'));
  event.device = value('device') ?? '';
  if (value('groupID') !== undefined) event.group = dec(value('groupID'));
}

function flush(event: EventCopy, text: string): void {
  const found =
    /^(\w+) (\S+)\[(\d+)\] type (\w+) did (\d+) \[0x(\w+)-0x(\w+)\] addr 0x(\w+) mask 0x(\w+)$/.exec(text);
  const [, unit = '', device = '', pasid, type = '', did, start, last, addr, mask] = found ?? [];
  event.unit = unit;
  event.device = device === unit ? '' : device;
  event.pasid = dec(pasid);
  event.type = type;
  event.domainId = dec(did);
  event.rangeStart = hex(start);
  event.rangeLast = hex(last);
  event.blockAddr = hex(addr);
  event.order = hex(mask);
}

function submit(event: EventCopy, text: string): void {
  const [type = '', unit = '', ...words] = text.split(' ');
  event.type = type;
  event.unit = unit.replace(':', '');
  event.words = words.flatMap((word) => {
    const value = BigInt(word);
    return [Number(value & 0xffffffffn), Number(value >> 32n)];
  });
}

/** The event of one line, but for its line number; undefined when it is none that the oracle knows. */
export function oracleEvent(line: string): EventCopy | undefined {
  const [, task = '', cpu, seconds, micros, name = '', text = ''] = LINE.exec(line) ?? [];
  if (name === '') return undefined;
  const event = copyOf(new TraceEvent());
  event.task = task;
  event.cpu = dec(cpu);
  event.time = Number(`${seconds}${micros}`) * 1000;
  event.name = name;
  if (name === 'tracing_mark_write') {
    event.system = 'marker';
    event.text = text;
  } else if (name.startsWith('dma_')) {
    event.system = 'dma';
    dma(event, text);
  } else if (text.startsWith('IOMMU:')) {
    event.system = 'iommu';
    iommu(event, text);
  } else {
    event.system = 'intel_iommu';
    if (name === 'qi_submit') submit(event, text);
    else flush(event, text);
  }
  return event;
}
