// Lines about capabilities: which there are, what port a PCI Express function is, and the ACS registers in words.
// Source followed: the output of lspci: `Capabilities: [148 v1] Access Control Services`, `Capabilities: <access denied>`,
//   ACSCtl: SrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans-
// The words decide only under ACSCtl: ACSCap says what could be turned on.
// Simplified: a register that is not printed with all seven words is unknown.

import { ACS } from '@sgfree/hw-model';
import type { FunctionDraft } from './function-draft.ts';
import type { MachineDraft } from './machine-draft.ts';
import { noteRepeated } from './repeated-part.ts';

const capabilityForm = /^Capabilities: \[([0-9a-f]+)(?: v[0-9]+)?\] (.*)$/;

const acsWords: readonly (readonly [string, number])[] = [
  ['SrcValid', ACS.sourceValidation],
  ['TransBlk', ACS.translationBlocking],
  ['ReqRedir', ACS.requestRedirect],
  ['CmpltRedir', ACS.completionRedirect],
  ['UpstreamFwd', ACS.upstreamForwarding],
  ['EgressCtrl', ACS.egressControl],
  ['DirectTrans', ACS.directTranslated],
];

// `PCI-Express to PCI/PCI-X Bridge` is type 7, its reverse type 8.
const portNames: readonly (readonly [string, number])[] = [
  ['Endpoint', 0],
  ['Legacy Endpoint', 1],
  ['Root Port', 4],
  ['Upstream Port', 5],
  ['Downstream Port', 6],
  ['PCI-Express to PCI/PCI-X Bridge', 7],
  ['PCI/PCI-X to PCI-Express Bridge', 8],
  ['Root Complex Integrated Endpoint', 9],
  ['Root Complex Event Collector', 10],
];

/** Reads a line that begins with `Capabilities:`, `ACSCap:` or `ACSCtl:`. */
export function readCapabilityLine(machine: MachineDraft, draft: FunctionDraft, text: string): void {
  if (text.startsWith('ACS')) readAcsRegister(machine, draft, text);
  else if (text.includes('<access denied>')) draft.capabilities = 'hidden';
  else readListed(machine, draft, text);
}

function readListed(machine: MachineDraft, draft: FunctionDraft, text: string): void {
  const match = capabilityForm.exec(text);
  if (match === null) return;
  if (draft.capabilities === 'none') draft.capabilities = 'listed';
  const [, offset = '', name = ''] = match;
  if (!name.startsWith('<chain')) noteRepeated(machine, draft, offset);
  const at = Number.parseInt(offset, 16);
  draft.inVirtualFunctions = name.includes('SR-IOV');
  if (at >= 0x100) {
    draft.extendedListed = true;
    if (draft.inVirtualFunctions) draft.sriovListed = true;
    if (!name.startsWith('Access Control Services')) return;
    draft.acsNamed = true;
    machine.state(draft, 'acsOffset', at);
  } else if (name.startsWith('Express')) readPortType(machine, draft, name);
}

function readPortType(machine: MachineDraft, draft: FunctionDraft, name: string): void {
  draft.expressNamed = true;
  const kind =
    /^Express (?:\(v[0-9]+\) )?(.*?)(?: \(Slot[+-]\))?(?: IRQ [0-9]+)?(?:,.*)?$/.exec(name)?.[1] ?? '';
  const unnamed = /^Unknown type ([0-9]{1,2})$/.exec(kind)?.[1];
  const port = unnamed === undefined ? portNames.find(([printed]) => printed === kind)?.[1] : Number(unnamed);
  if (port !== undefined) machine.state(draft, 'portType', port);
}

function readAcsRegister(machine: MachineDraft, draft: FunctionDraft, text: string): void {
  draft.acsNamed = true;
  let value = 0;
  for (const [word, bit] of acsWords) {
    if (text.includes(` ${word}+`) || text.includes(`\t${word}+`)) value += bit;
    else if (!text.includes(`${word}-`)) return;
  }
  machine.state(draft, text.startsWith('ACSCtl') ? 'acsControl' : 'acsCapability', value);
}
