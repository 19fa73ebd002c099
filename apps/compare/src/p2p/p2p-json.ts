// The answers of `sgfree p2p` as one JSON document, schema sgfree/p2p/v1.
// Source followed: the project's command-line conventions: versioned schema, numbers of hardware as hex strings, null = unknown.
// Verdicts have the names of the library: bus-addr, thru-host-bridge, not-supported, unknown.
// Simplified: each pair stands once; its verdict holds in both directions.

import { hex } from '@sgfree/hw-model';
import type { P2pdmaRoute } from '@sgfree/p2p';
import {
  type AcsControl,
  classNameOf,
  type DumpedFunction,
  hostBridgeOf,
  type TopologyRemark,
} from '@sgfree/topology';
import { addressWords, memoryBars } from './address-words.ts';
import type { LabelledDevice } from './device-selection.ts';
import { deviceKind } from './device-selection.ts';
import { deviceName, portWords } from './device-words.ts';
import type { MatrixSummary } from './matrix-summary.ts';
import type { Judge, P2pCase, PairVerdict } from './p2p-case.ts';
import { type RedirectPlan, redirectPlan } from './redirect-plan.ts';
import { hopsOf } from './route-text.ts';
import { ruleWords, verdictCode } from './verdict-words.ts';

/** Name and version of the document's schema. */
export const P2P_SCHEMA = 'sgfree/p2p/v1';

/** Null for what is not known. */
export const known = <T>(value: T | 'unknown'): T | null => (value === 'unknown' ? null : value);
const knownHex = (value: number | 'unknown'): string | null => (value === 'unknown' ? null : hex(value));

/** Machine and rules. */
export function caseEntry({ source, dump, kernel, cpu, iommu }: P2pCase): Record<string, unknown> {
  return {
    schema: P2P_SCHEMA,
    dump: {
      source,
      formats: dump.formats,
      functions: dump.functions.length,
      hostBridges: dump.hostBridges.map(({ name }) => name),
      partial: dump.partial,
      remarks: dump.remarks.map(remarkEntry),
    },
    rules: {
      kernel: kernel.version,
      kernelKnown: kernel.known !== null,
      cpu: cpu.cpu === 'unknown' ? null : { vendor: cpu.cpu.vendor, family: cpu.cpu.family },
      cpuFrom: cpu.from,
      iommu: known(iommu),
    },
  };
}

const remarkEntry = ({ code, file, line, device, what, consequence }: TopologyRemark): unknown => ({
  code,
  file: file || null,
  line: line || null,
  device: device || null,
  what,
  consequence,
});

/** A device of the matrix. */
export function deviceEntry(asked: P2pCase, judge: Judge, fn: DumpedFunction, label?: string): unknown {
  const host = hostBridgeOf(asked.dump, fn);
  return {
    label: label ?? null,
    address: fn.name,
    kind: deviceKind(fn),
    class: fn.classId === 'unknown' ? null : `0x${fn.classId.toString(16).padStart(4, '0')}`,
    className: fn.classId === 'unknown' ? null : (classNameOf(fn.classId) ?? null),
    name: deviceName(fn, 200),
    vendorId: knownHex(fn.vendorId),
    deviceId: knownHex(fn.deviceId),
    driver: fn.driver ?? null,
    numaNode: fn.numaNode ?? null,
    port: typeof fn.upstream === 'object' ? fn.upstream.name : null,
    hostBridge: host === 'unknown' ? null : host.name,
    iommuGroup: groupNumber(judge, fn),
    dumpedIommuGroup: fn.iommuGroup ?? null,
    memoryBars: memoryBars(fn).map(({ index, base, busBase, bytes }) => ({
      bar: index,
      physical: knownHex(base),
      bus: knownHex(busBase),
      bytes: known(bytes),
    })),
  };
}

const groupNumber = (judge: Judge, fn: DumpedFunction): number | null => {
  const group = judge.groups.groupOf(fn);
  return typeof group === 'string' ? null : known(group.number);
};

/** Devices, pairs and counts of a matrix. */
export function matrixEntry(
  asked: P2pCase,
  judge: Judge,
  devices: readonly LabelledDevice[],
  summary: MatrixSummary,
): Record<string, unknown> {
  return {
    devices: devices.map(({ fn, label }) => deviceEntry(asked, judge, fn, label)),
    pairs: summary.pairs.map(pairEntry),
    summary: {
      pairs: summary.pairs.length,
      verdicts: verdictCounts(summary),
      rules: [...summary.rules].map(([rule, { pairs, hosts }]) => ({
        rule,
        pairs,
        hosts: [...hosts].sort(),
      })),
      redirecting: summary.redirecting.map(({ fn, control, pairs }) => ({
        address: fn.name,
        acsControl: hex(control),
        pairs,
      })),
      acsWithoutRedirect: summary.harmless,
      open: Object.fromEntries(summary.open),
      plan: planEntry(redirectPlan(asked, summary)),
    },
  };
}

const planEntry = (plan: RedirectPlan | null): unknown =>
  plan === null
    ? null
    : {
        functions: plan.functions.map(({ name }) => name),
        argument: plan.argument,
        gainedPairs: plan.gained,
      };

/** Pairs by verdict; `cpuDecides`: through the host bridge on AMD Zen, not supported elsewhere. */
export function verdictCounts({ counts }: Pick<MatrixSummary, 'counts'>): unknown {
  return {
    busAddr: counts.get('B') ?? 0,
    thruHostBridge: counts.get('H') ?? 0,
    cpuDecides: counts.get('Z') ?? 0,
    notSupported: counts.get('N') ?? 0,
    unknown: counts.get('?') ?? 0,
  };
}

/** A pair as one line of the list. */
export function pairEntry(pair: PairVerdict): Record<string, unknown> {
  const { provider, client, byCpu, route } = pair;
  return {
    from: client.name,
    to: provider.name,
    verdict: route.mapType,
    code: verdictCode(pair),
    possible: route.possible,
    onAmdZen: byCpu?.zen ?? null,
    onOtherCpu: byCpu?.other ?? null,
    distance: known(route.distance),
    common: commonName(route),
    redirecting: route.redirecting.map(({ name }) => name),
    rule: route.rule,
    missing: route.missing.map((fact) => ({ kind: fact.kind, of: 'of' in fact ? fact.of.name : null })),
  };
}

/** The common port: its address, `none`, or null where it is not known. */
const commonName = ({ common }: P2pdmaRoute<DumpedFunction>): string | null => {
  if (common === 'unknown') return null;
  return common === null ? 'none' : common.name;
};

/** One pair with its way. */
export function routeEntry(asked: P2pCase, judge: Judge, pair: PairVerdict): Record<string, unknown> {
  return {
    ...pairEntry(pair),
    reason: ruleWords(asked, judge, pair),
    addressForm: addressWords(pair, asked.iommu),
    hops: hopsOf(judge, pair).map(({ at, side, redirects }) => ({
      address: at.name,
      side: side === 'client' ? 'up' : side === 'provider' ? 'down' : 'common',
      type: portWords(at),
      name: deviceName(at, 200),
      ...registerEntry(judge.registerOf(at)),
      redirects: known(redirects),
    })),
  };
}

function registerEntry(register: AcsControl | 'absent'): Record<string, unknown> {
  if (register === 'absent') return { acs: 'absent', acsControl: null, acsUnknownBits: null };
  const { value, unknownBits } = register;
  if (unknownBits === 0x7f) return { acs: 'unknown', acsControl: null, acsUnknownBits: null };
  return { acs: 'shown', acsControl: hex(value), acsUnknownBits: hex(unknownBits) };
}

/** A document, ready to print. */
export const jsonText = (document: unknown): string => `${JSON.stringify(document, null, 2)}\n`;
