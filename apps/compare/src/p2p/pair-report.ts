// PairReport: everything about one pair as text: verdict, rule, address, way, groups, and what stands against it.
// Source followed: drivers/pci/p2pdma.c as modelled in the package p2p.
// Simplified: state bits (memory decode, bus mastering) are those of the moment of the dump.

import { type Advice, adviceFor } from '@sgfree/p2p';
import type { DumpedFunction } from '@sgfree/topology';
import { addressBits, addressWords, barLines, memoryBars } from './address-words.ts';
import { adviceText } from './advice-text.ts';
import { deviceName } from './device-words.ts';
import { groupLines as groupChange } from './group-change-text.ts';
import { groupWords } from './group-words.ts';
import type { P2pAnswer } from './p2p-answer.ts';
import type { Answer, Judge, P2pCase, PairVerdict } from './p2p-case.ts';
import { hopsOf, routeText } from './route-text.ts';
import { codeWords, distanceText, ruleWords, type VerdictCode, verdictCode } from './verdict-words.ts';
import { changesText } from './what-if-text.ts';

const KERNEL_NAME: Readonly<Record<Answer, string>> = {
  'bus-addr': 'PCI_P2PDMA_MAP_BUS_ADDR',
  'thru-host-bridge': 'PCI_P2PDMA_MAP_THRU_HOST_BRIDGE',
  'not-supported': 'PCI_P2PDMA_MAP_NOT_SUPPORTED',
  unknown: '',
};

/** The parts of the answer; after a change the verdict before and after it. */
export function pairParts(answer: P2pAnswer, provider: DumpedFunction, client: DumpedFunction): string[] {
  const { asked, judge, whatIf } = answer;
  const pair = judge.pair(provider, client);
  const head = `${client.name} (${deviceName(client)})\n  -> memory of ${provider.name} (${deviceName(provider)})`;
  const notes = stateNotes(judge, pair).join('\n');
  if (whatIf === null) {
    return [head, ...stateParts(asked, judge, pair), adviceText(advised(answer, pair)), notes];
  }
  const after = whatIf.judge.pair(provider, client);
  return [
    head,
    'Before the change',
    verdictLines(asked, judge, pair).join('\n'),
    groupLines(judge, pair).join('\n'),
    changesText(whatIf),
    'After the change',
    ...stateParts(asked, whatIf.judge, after),
    groupChange(whatIf.groups).join('\n'),
    notes,
  ];
}

function stateParts(asked: P2pCase, judge: Judge, pair: PairVerdict): string[] {
  return [
    verdictLines(asked, judge, pair).join('\n'),
    routeText(asked, judge, pair),
    groupLines(judge, pair).join('\n'),
  ];
}

/** What would change the verdict. */
export function advised({ asked, judge }: P2pAnswer, { provider, client }: PairVerdict): Advice {
  const { dump, kernel, iommu } = asked;
  return adviceFor(dump, provider, client, judge.rules, {
    acsKernel: kernel.acs,
    ...(iommu === 'off' && { iommu: 'off' }),
  });
}

/** Verdict, reason, distance and address, each on its line. */
export function verdictLines(asked: P2pCase, judge: Judge, pair: PairVerdict): string[] {
  const name = KERNEL_NAME[pair.route.mapType];
  const code = verdictCode(pair);
  return [
    field('Verdict', `${codeWords(code)}${name === '' ? '' : ` (${name})`}; the same in the other direction`),
    field('Rule', ruleWords(asked, judge, pair)),
    ...whyLines(pair),
    ...trafficLines(pair, code),
    field('Distance', distanceWords(pair, code)),
    field('Address', addressWords(pair, asked.iommu)),
    ...barLines(pair.provider).map((line) => field('', line)),
  ];
}

const field = (name: string, text: string): string => `${name.padEnd(9)} ${text}`;

function whyLines({ route }: PairVerdict): string[] {
  const { common, redirecting } = route;
  if (common === 'unknown') return [];
  if (common === null)
    return [field('Because', 'no switch or port is above both: every request passes the root complex')];
  const port = `${common.name} (${deviceName(common)})`;
  if (redirecting.length === 0) return [field('Common', port)];
  const ports = redirecting.map(({ name }) => name).join(', ');
  return [
    field('Common', port),
    field('Because', `ACS redirection on ${ports} sends requests past the common port up to the root`),
  ];
}

/** Where the requests go; nothing where there are none, or nobody knows. */
function trafficLines({ route }: PairVerdict, code: VerdictCode): string[] {
  if (code === 'B' && typeof route.common === 'object' && route.common !== null) {
    return [field('Traffic', `turns around at ${route.common.name} or below; no IOMMU sees it`)];
  }
  if (code !== 'H') return [];
  return [field('Traffic', 'goes up to the root complex, through the IOMMU where it is on, and down again')];
}

function distanceWords(pair: PairVerdict, code: VerdictCode): string {
  const hops = distanceText(pair);
  if (code === 'N')
    return `${hops} functions passed; pci_p2pdma_distance() returns -1 for a pair that is not supported`;
  return hops === '?' ? 'not known: bridges are missing in the dump' : hops;
}

function groupLines(judge: Judge, { provider, client }: PairVerdict): string[] {
  const [one, other] = [judge.groups.groupOf(client), judge.groups.groupOf(provider)];
  const together = typeof one === 'object' && one === other;
  return [
    `IOMMU groups${together && provider !== client ? ' (both are in one group: they cannot be given to different virtual machines)' : ''}`,
    `  ${client.name}  ${groupWords(judge, client)}`,
    ...(together || provider === client ? [] : [`  ${provider.name}  ${groupWords(judge, provider)}`]),
  ];
}

function stateNotes(judge: Judge, pair: PairVerdict): string[] {
  const { provider, client } = pair;
  const notes: string[] = [];
  if (memoryBars(provider).length === 0)
    notes.push(`the dump shows no memory BAR of ${provider.name}: it has nothing to offer to peers`);
  if (provider.memoryEnabled === false)
    notes.push(`${provider.name} does not decode memory (Mem-): it answers no request`);
  for (const { at, side } of hopsOf(judge, pair)) {
    if (side === 'client' && at.busMaster === false) {
      notes.push(
        at === client
          ? `${at.name} may not send requests (BusMaster-) until its driver allows it`
          : `${at.name} forwards no request upstream (BusMaster-)`,
      );
    }
  }
  const bits = addressBits(provider);
  if (bits !== null && bits > 32)
    notes.push(`the initiator must be able to send ${bits}-bit addresses to reach every BAR`);
  return notes.map((note) => `note: ${note}`);
}
