// A device path of /sys: host bridge, then every bridge on the way down: the one source that shows parents outright.
// Source followed: `devices/pci0000:00/0000:00:04.0/0000:03:00.0`; behind a bridge that makes a domain of its own (VMD)
// a second `pci10000:e0` stands further down.
// Simplified: only the last host bridge of a path counts.

import { addressKey, busKey, parsePciAddress } from '../model/pci-address.ts';
import type { FunctionDraft } from './function-draft.ts';
import type { MachineDraft } from './machine-draft.ts';

const hostForm = /^pci([0-9a-f]{4,8}):([0-9a-f]{2})$/i;

/** States the parent that a path shows. */
export function stateDevicePath(machine: MachineDraft, draft: FunctionDraft, path: string): void {
  const parts = path.split('/');
  const above = parts[parts.length - 2] ?? '';
  const host = hostForm.exec(above);
  if (host !== null) {
    machine.rootBuses.add(busKey(Number.parseInt(host[1] ?? '', 16), Number.parseInt(host[2] ?? '', 16)));
    machine.state(draft, 'parent', -1);
    return;
  }
  const bridge = parsePciAddress(above);
  if (bridge !== undefined) machine.state(draft, 'parent', addressKey(bridge));
}
