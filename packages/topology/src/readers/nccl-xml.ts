// The topology files of NCCL and RCCL: <cpu> and nested <pci> elements. A partial source: bridges between are left out,
// so hops cannot be counted, and nothing tells about ACS.
// Source followed: ncclTopoGetXmlFromSys and ncclTopoAddPci of NCCL (what the attributes mean); synthetic bridges of
// cloud images stand at ffff:ff:NN.0.
// Simplified: links that are not PCI (nvlink, xgmi) and everything below a <nic> or <gpu> are passed over.

import { addressKey, parsePciAddress } from '../model/pci-address.ts';
import { shown } from '../model/topology-input-error.ts';
import type { MachineDraft } from './machine-draft.ts';
import { type XmlTag, xmlTags } from './xml-tags.ts';

/** An open element: its name, and the bridge it stands for. */
interface OpenElement {
  readonly name: string;
  readonly bridge: number | undefined;
  readonly numaNode: number | undefined;
}

/** Reads a topology file. */
export function readNcclXml(machine: MachineDraft, text: string): void {
  const open: OpenElement[] = [];
  let systems = 0;
  for (const tag of xmlTags(text)) {
    machine.line = tag.line;
    if (tag.kind === 'end') close(machine, open, tag);
    else {
      if (tag.name === 'system') systems += 1;
      const element = enter(machine, open, tag);
      if (tag.kind === 'start') open.push(element);
    }
  }
  const left = open.at(-1);
  if (left !== undefined)
    throw machine.malformed(`the end of the text inside <${left.name}>`, `</${left.name}>`);
  if (systems !== 1)
    throw machine.malformed(`${systems} <system> elements`, 'one <system> with <cpu> and <pci> elements');
  machine.formats.add('nccl-xml');
  machine.partial = true;
  machine.line = 0;
  machine.remark(
    'partial-source',
    '',
    'a topology file of NCCL',
    'bridges are left out and ACS is not told: no hop counts, no verdict on redirection',
  );
}

function close(machine: MachineDraft, open: OpenElement[], tag: XmlTag): void {
  const top = open.pop();
  if (top?.name !== tag.name) {
    throw machine.malformed(`</${tag.name}>`, top === undefined ? 'no end tag' : `</${top.name}>`);
  }
}

function enter(machine: MachineDraft, open: readonly OpenElement[], tag: XmlTag): OpenElement {
  if (open.length > 256)
    throw machine.malformed('more than 256 nested elements', 'the bridges of one machine');
  const above = open.at(-1);
  if (tag.name === 'cpu') {
    readCpu(machine, tag);
    return { name: tag.name, bridge: undefined, numaNode: numberOf(tag, 'numaid', 10) };
  }
  const bridge = tag.name === 'pci' ? readPci(machine, tag, above) : above?.bridge;
  return { name: tag.name, bridge, numaNode: above?.numaNode };
}

function readCpu(machine: MachineDraft, tag: XmlTag): void {
  const vendor = tag.attributes.get('vendor');
  const family = numberOf(tag, 'familyid', 10);
  if (vendor === undefined || family === undefined) return;
  machine.cpu = { vendor, family: realFamily(family), model: numberOf(tag, 'modelid', 10) ?? 'unknown' };
}

// NCCL writes the extended family into bits 4 and up instead of adding it: family 0x17 is 0x8f there.
const realFamily = (family: number): number =>
  family > 15 && family % 16 === 15 ? 15 + (family >> 4) : family;

function readPci(machine: MachineDraft, tag: XmlTag, above: OpenElement | undefined): number {
  const busid = tag.attributes.get('busid');
  const address = parsePciAddress(busid ?? '');
  if (address === undefined)
    throw machine.malformed(`busid ${shown(busid ?? 'left out')}`, 'a PCI address such as "0000:03:00.0"');
  const draft = machine.at(address);
  const classCode = numberOf(tag, 'class', 16);
  const facts = {
    classId: classCode === undefined ? undefined : Math.floor(classCode / 256) & 0xffff,
    progIf: classCode === undefined ? undefined : classCode & 0xff,
    vendorId: realId(tag, 'vendor'),
    deviceId: realId(tag, 'device'),
    parent: above?.bridge,
    numaNode: above?.numaNode,
  };
  for (const [key, value] of Object.entries(facts) as [keyof typeof facts, number | undefined][]) {
    if (value !== undefined && value >= 0) machine.state(draft, key, value);
  }
  return addressKey(address);
}

// Synthetic bridges carry ids of all ones.
function realId(tag: XmlTag, key: string): number | undefined {
  const id = numberOf(tag, key, 16);
  return id === 0xffff || id === 0 ? undefined : id;
}

function numberOf(tag: XmlTag, key: string, base: number): number | undefined {
  const value = Number.parseInt(tag.attributes.get(key) ?? '', base);
  return Number.isNaN(value) ? undefined : value;
}
