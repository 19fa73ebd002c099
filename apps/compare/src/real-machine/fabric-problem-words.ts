// FabricProblemWords: why a part of a dumped machine cannot be run, one phrase for each fact or obstacle, and what helps.
// Source followed: none; the codes are those of the topology package.
// Simplified: the first few are named, the rest are counted.

import type { FabricFact, FabricObstacleCode, FabricOutcome } from '@sgfree/topology';

const MOST_NAMED = 6;

const FACT: Readonly<Record<FabricFact, string>> = {
  upstream: 'the bridge above',
  'header-type': 'the header type of',
  'port-type': 'the port type of',
  'bus-numbers': 'the bus numbers of',
  'bridge-windows': 'the memory windows of',
  'acs-control': 'the ACS control of',
  'egress-vector': 'the ACS egress control vector of',
  command: 'the command register of',
  'bar-size': 'the size of',
  'bar-address': 'the address of',
  'bus-offset': 'how bus and CPU addresses differ for',
  'root-device': 'the first function of the root bus above',
};

const OBSTACLE: Readonly<Record<FabricObstacleCode, string>> = {
  'virtual-function': 'is an SR-IOV virtual function, which has no place of its own in the model',
  'cardbus-bridge': 'is a CardBus bridge',
  'behind-cardbus-bridge': 'lies behind a CardBus bridge',
  'bridge-type': 'is a bridge with the port type or header of a device',
  'bus-contradiction': 'sits on another bus than the bridge above it leads to',
  'no-memory-bar': 'is no memory BAR',
  'bar-unassigned': 'has no address assigned',
  'bar-malformed': 'is no BAR: its size is no power of two, or its address is not aligned to it',
  'window-malformed': 'has a memory window that its registers cannot hold',
  'address-out-of-range': 'has a BAR at or above 2^52, which the model cannot hold',
  'bus-offset-mixed': 'lies below a host bridge with several address offsets',
  'ranges-overlap':
    'lies below a host bridge whose addresses are also memory, or those of another host bridge',
};

/** What is in the way, and what would help. */
export function problemWords(outcome: Extract<FabricOutcome, { ok: false }>): {
  readonly found: string;
  readonly expected: string;
} {
  const obstacles = outcome.obstacles.map(({ code, fn, bar }) =>
    bar === null && code === 'no-memory-bar'
      ? `${fn.name} has no memory BAR`
      : `${place(fn.name, bar)} ${OBSTACLE[code]}`,
  );
  const facts = outcome.missing.map(({ fact, fn, bar }) => `${FACT[fact]} ${place(fn.name, bar)}`);
  if (obstacles.length > 0)
    return { found: listed(obstacles, '; '), expected: 'two functions that can be modelled' };
  return {
    found: `a dump that does not show ${listed(facts, ', ')}`,
    expected: 'a dump that shows them: lspci -vvvxxxx as root, or a copy of /sys/bus/pci read by root',
  };
}

const place = (name: string, bar: number | null): string => (bar === null ? name : `BAR ${bar} of ${name}`);

function listed(phrases: readonly string[], between: string): string {
  const more = phrases.length - MOST_NAMED;
  return `${phrases.slice(0, MOST_NAMED).join(between)}${more > 0 ? ` and ${more} more` : ''}`;
}
