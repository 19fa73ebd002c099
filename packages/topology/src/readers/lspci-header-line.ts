// The first line of a function in a listing: address, class, vendor and device, revision.
// Source followed: the output of lspci 3.x with and without -n, -nn, -D.
//   03:00.0 Ethernet controller [0200]: Mellanox Technologies MT2910 [15b3:1021] (rev 01) (prog-if 00 [x])
//   03:00.0 0200: 15b3:1021 (rev 01)
// Simplified: the machine-readable forms (-m, -mm, -vmm) are not read.

import { parsePciAddress } from '../model/pci-address.ts';
import { classOfName } from '../names/class-names.ts';
import { idsOfTitle, type NameLookup } from '../names/vendor-names.ts';
import type { FunctionDraft, StatedFacts } from './function-draft.ts';
import type { MachineDraft } from './machine-draft.ts';

const headerForm = /^((?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[01][0-9a-f][.][0-7]) (.+)$/i;
const numericForm = /^(?:Class )?([0-9a-f]{4}): ([0-9a-f]{4}):([0-9a-f]{4})(?= |$)/i;
const idsForm = / \[([0-9a-f]{4}):([0-9a-f]{4})\]$/i;
const classIdForm = / \[([0-9a-f]{4})\]$/i;
const progIfForm = /\(prog-if ([0-9a-f]{2})/i;

const hex = (digits: string | undefined): number => Number.parseInt(digits ?? '', 16);

/** Reads the line when it is one: the function it opens, else undefined. */
export function readHeaderLine(
  machine: MachineDraft,
  line: string,
  lookup: NameLookup | undefined,
): FunctionDraft | undefined {
  const match = headerForm.exec(line);
  const address = match === null ? undefined : parsePciAddress(match[1] ?? '');
  if (address === undefined) return undefined;
  const rest = match?.[2] ?? '';
  const numeric = numericForm.exec(rest);
  const colon = rest.indexOf(': ');
  if (numeric === null && colon < 0) return undefined;
  const draft = machine.at(address);
  const progIf = progIfForm.exec(rest)?.[1];
  if (progIf !== undefined) machine.state(draft, 'progIf', hex(progIf));
  if (numeric === null) stateNames(machine, draft, rest, colon, lookup);
  else stateNumbers(machine, draft, numeric);
  return draft;
}

function stateNumbers(machine: MachineDraft, draft: FunctionDraft, numeric: RegExpExecArray): void {
  machine.stateAll(draft, { classId: hex(numeric[1]), vendorId: hex(numeric[2]), deviceId: hex(numeric[3]) });
}

function stateNames(
  machine: MachineDraft,
  draft: FunctionDraft,
  rest: string,
  colon: number,
  lookup: NameLookup | undefined,
): void {
  const classText = rest.slice(0, colon);
  const withoutTail = withoutLast(withoutLast(rest.slice(colon + 2).trim(), ' (prog-if '), ' (rev ');
  const ids = idsForm.exec(withoutTail);
  const title = ids === null ? withoutTail : withoutTail.slice(0, ids.index);
  const classId = hex(classIdForm.exec(classText)?.[1]);
  const className = classText.replace(classIdForm, '');
  const facts: Partial<StatedFacts> = {};
  const named = Number.isNaN(classId) ? classOfName(className) : classId;
  if (named !== undefined) facts.classId = named;
  if (ids === null) Object.assign(facts, idsOfTitle(title, lookup));
  else Object.assign(facts, { vendorId: hex(ids[1]), deviceId: hex(ids[2]) });
  machine.stateAll(draft, { ...facts, className, title });
}

/** The text before its last part, when that begins with `opening` and closes the text. */
function withoutLast(text: string, opening: string): string {
  const at = text.endsWith(')') ? text.lastIndexOf(opening) : -1;
  return at < 0 ? text : text.slice(0, at).trimEnd();
}
