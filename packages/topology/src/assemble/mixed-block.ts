// A block of text that contradicts itself: the first line of one function and the registers of another.
// Source followed: a type 1 header belongs to bridges, whose class is 06xx; ports are bridges, and endpoints are none; and
// the primary bus of a bridge is the bus it stands on, or 0 where nobody set it.
// A chunk that is missing from the middle of a paste makes such blocks; nothing that their words say of registers is
// believed then.
// Simplified: two functions that could be each other are not told apart.

import type { FunctionDraft } from '../readers/function-draft.ts';
import type { MachineDraft } from '../readers/machine-draft.ts';

const BRIDGE = 0x06;
const PCI_BRIDGE = 0x0604;
/** Host and ISA bridges lead to no PCI bus. */
const withoutBuses: ReadonlySet<number> = new Set([0x0600, 0x0601]);
const ports: ReadonlySet<number> = new Set([4, 5, 6, 7, 8]);

/** Marks the draft when its words cannot be those of one function. */
export function noteContradiction(machine: MachineDraft, draft: FunctionDraft): void {
  const what = contradiction(draft);
  if (draft.mixed || what === undefined) return;
  draft.mixed = true;
  machine.remark(
    'line-not-understood',
    draft.name,
    what,
    'lines of two functions may have run together: what the text says of registers here is taken as unknown',
    draft.line,
  );
}

function contradiction({ stated, address }: FunctionDraft): string | undefined {
  const { classId, headerType, primary, portType } = stated;
  if (primary !== undefined && primary !== 0 && primary !== address.bus)
    return `its primary bus is ${primary}, and it stands on bus ${address.bus}`;
  if (classId === undefined) return undefined;
  const isBridge = Math.floor(classId / 256) === BRIDGE;
  if (headerType === 1 && (!isBridge || withoutBuses.has(classId)))
    return 'it has bus numbers, and its class is none of bridges';
  if (portType === undefined) return undefined;
  const isPort = ports.has(portType);
  if (isPort && !isBridge) return 'it is a port, and its class is none of bridges';
  return !isPort && classId === PCI_BRIDGE ? 'it is a bridge, and no port' : undefined;
}
