// P2pQuestion: what was asked of a machine: all selected devices, one device against them, or one pair.
// Source followed: the house rule for bad user input: what was found, what was expected.
// Simplified: devices are named by address.

import { classNameOf, type DumpedFunction, type MachineDump } from '@sgfree/topology';
import { InputError } from '../request-list/input-error.ts';
import { printable } from '../request-list/shown-value.ts';
import { classless, findDevice, type LabelledDevice, selectDevices } from './device-selection.ts';
import { idText } from './device-words.ts';
import type { P2pCase } from './p2p-case.ts';
import type { P2pOptions } from './p2p-options.ts';

const MOST_NAMED = 8;
/** A million cells are beyond what anybody reads. */
const MOST_DEVICES = 1024;

const SOUGHT = {
  interesting: 'a GPU, NIC, NVMe drive or accelerator',
  class: 'a device of the class',
  all: 'an endpoint',
} as const;

/** The question, with devices found. */
export interface P2pQuestion {
  /** Endpoints left out because the dump does not show their class. */
  readonly leftOut: readonly DumpedFunction[];
  /** The devices of the matrix; those to compare with for one device; what a graph shows. */
  readonly devices: readonly LabelledDevice[];
  /** Both ends were named. */
  readonly pair: { readonly client: DumpedFunction; readonly provider: DumpedFunction } | null;
  /** One end was named. */
  readonly one: DumpedFunction | null;
}

/** Finds the devices. Throws {@link InputError} for an address that is wrong, absent or ambiguous, and for no device at all. */
export function p2pQuestion(asked: P2pCase, options: P2pOptions): P2pQuestion {
  const from = deviceAt(asked, options.from);
  const to = deviceAt(asked, options.to);
  const devices = selectDevices(asked.dump, options.wanted);
  const leftOut = options.wanted === 'all' ? [] : classless(asked.dump);
  if (from !== null && to !== null)
    return { devices, leftOut, pair: { client: from, provider: to }, one: null };
  if (devices.length === 0) throw nothingSelected(asked, options);
  const one = from ?? to;
  if (one === null && devices.length > MOST_DEVICES && isMatrix(options)) {
    const expected = `at most ${MOST_DEVICES} for a matrix: choose by --class, --from or --to`;
    throw new InputError(asked.source, 0, `${devices.length} such devices`, expected);
  }
  return { devices, leftOut, pair: null, one };
}

const isMatrix = ({ output }: P2pOptions): boolean => output === 'text' || output === 'json';

/** The function at an address that a person typed; null for none typed. Throws {@link InputError}. */
function deviceAt({ dump, source }: P2pCase, text: string | null): DumpedFunction | null {
  if (text === null) return null;
  const found = findDevice(dump, text);
  if ('fn' in found) return found.fn;
  const shown = JSON.stringify(printable(text));
  if (found.error === 'no-address') {
    throw new InputError(
      source,
      0,
      `no PCI address: ${shown}`,
      'domain:bus:device.function, such as 0000:19:00.0',
    );
  }
  if (found.error === 'ambiguous') {
    const names = found.near.map(({ name }) => name).join(', ');
    throw new InputError(source, 0, `${found.near.length} functions at ${shown}`, `one of ${names}`);
  }
  throw new InputError(source, 0, `no function at ${shown}`, `one of ${knownPlaces(dump)}`);
}

function knownPlaces(dump: MachineDump): string {
  const named = selectDevices(dump, 'interesting').map(({ fn }) => fn.name);
  const names = named.length > 0 ? named : dump.functions.map(({ name }) => name);
  const more = names.length - MOST_NAMED;
  return `${names.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function nothingSelected({ dump, source }: P2pCase, { wanted }: P2pOptions): InputError {
  const counts: Map<string, number> = new Map();
  for (const fn of dump.functions) {
    const name =
      fn.classId === 'unknown'
        ? 'of unknown class'
        : (classNameOf(fn.classId) ?? `class ${idText(fn.classId)}`);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const most = [...counts].sort(([, one], [, other]) => other - one).slice(0, MOST_NAMED);
  const has = most.map(([name, count]) => `${count} ${name}`).join(', ');
  const sought = SOUGHT[typeof wanted === 'string' ? wanted : 'class'];
  const other = wanted === 'all' ? '' : '; --all takes every endpoint';
  return new InputError(
    source,
    0,
    `no such device among ${dump.functions.length} functions (${has})`,
    `${sought}${other}`,
  );
}
