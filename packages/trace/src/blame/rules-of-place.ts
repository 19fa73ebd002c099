// Rules of place: the time was right, but not the place or the way: beside a mapping, against its direction, in another
// device's, or nowhere.
// Source followed: include/linux/dma-direction.h; the IOMMU refuses what the direction of the mapping does not allow.
// Simplified: inside the last page of a mapping an overrun is invisible, since page-table entries are pages.

import type { BlameConfidence, BlameReason, BlameRule, FaultCase } from './blame-reason.ts';
import { evidenceAt, remark, weakerIf } from './blame-reason.ts';
import type { FaultAccess } from './fault-reading.ts';
import type { MappingSighting } from './mapping-sighting.ts';
import { deviceWords, mappingText } from './mapping-words.ts';
import { hasOwner } from './rules-of-value.ts';
import { bytesText, timeText } from './wording.ts';

/** Beyond this many bytes a neighbour explains nothing; up to a page it is likely. */
const FAR = 65536;
const NEAR = 4096;

const liveOwner = ({ around }: FaultCase): MappingSighting | undefined =>
  around.covering.find((one) => one.owner !== 'other' && one.state === 'live');

/** True when a mapping's direction forbids the access. */
const forbids = ({ direction }: MappingSighting, access: FaultAccess): boolean =>
  (direction === 'TO_DEVICE' && access === 'write') || (direction === 'FROM_DEVICE' && access === 'read');

/** A few seconds: an older buffer at the address of a live one explains nothing. */
const STALE = 10e9;

/**
 * Where the live mapping of the device forbids the access: the device's last mapping here that had allowed it and ended
 * not long before. The address was handed out again, and the device may still mean the former buffer.
 */
export function formerAllowing(
  { around, fault }: FaultCase,
  live: MappingSighting,
): MappingSighting | undefined {
  const { access } = fault.reading;
  if (!forbids(live, access)) return undefined;
  return around.covering.find(
    (one) =>
      one.owner === 'own' && one.state === 'ended' && !forbids(one, access) && one.sinceReleased <= STALE,
  );
}

/** A live mapping, used the wrong way. */
export const wrongDirection: BlameRule = (one): BlameReason | undefined => {
  const live = liveOwner(one);
  const { access, kind } = one.fault.reading;
  if (live === undefined || !forbids(live, access)) return undefined;
  const unsure =
    live.owner === 'unnamed' ||
    live.directionFrom !== 'recorded' ||
    kind === 'not-mapped' ||
    formerAllowing(one, live) !== undefined;
  return {
    code: 'wrong-direction',
    confidence: weakerIf(unsure, 'strong'),
    text: `wrong direction: the buffer is mapped ${live.direction}, but the device tried to ${access} it`,
    evidence: [evidenceAt(live.mapped, `mapped ${live.direction}: ${mappingText(live)}`)],
  };
};

/** A live mapping that allows the access: the trace does not show why it was refused. */
export const liveButRefused: BlameRule = (one): BlameReason | undefined => {
  const live = liveOwner(one);
  if (live === undefined || forbids(live, one.fault.reading.access)) return undefined;
  return {
    code: 'live-but-refused',
    confidence: 'possible',
    text: `the trace shows a live mapping here${live.owner === 'unnamed' ? ' (of an unnamed device, perhaps in another domain)' : ''} that allows the access; why the unit refused it is not in the trace (entries not visible to it yet, a stale entry in its cache, another domain attached)`,
    evidence: [evidenceAt(live.mapped, `mapped: ${mappingText(live)}`)],
  };
};

/** Behind the end of a live mapping. */
export const overrun: BlameRule = (one): BlameReason | undefined => {
  const below = one.around.belowLive;
  if (below === undefined || liveOwner(one) !== undefined || below.distance >= FAR) return undefined;
  const page = one.fault.addressBytes > 1 ? 'the page begins' : 'the access lies';
  return {
    code: 'overrun',
    confidence: neighbourConfidence(one, below),
    text: `overrun: ${page} ${below.distance === 0 ? 'right' : bytesText(below.distance)} behind the end of a live mapping${allowance(below, one)}`,
    evidence: [evidenceAt(below.mapped, `live below: ${mappingText(below)}`)],
  };
};

/** Before the start of a live mapping. */
export const underrun: BlameRule = (one): BlameReason | undefined => {
  const above = one.around.aboveLive;
  if (above === undefined || liveOwner(one) !== undefined || above.distance >= FAR) return undefined;
  return {
    code: 'underrun',
    confidence: weakerIf(true, neighbourConfidence(one, above)),
    text: `underrun: the access lies ${bytesText(above.distance)} before the start of a live mapping${allowance(above, one)}`,
    evidence: [evidenceAt(above.mapped, `live above: ${mappingText(above)}`)],
  };
};

/** The allocator packs mappings closely, so a neighbour alone is never strong. */
function neighbourConfidence(one: FaultCase, neighbour: MappingSighting): BlameConfidence {
  const against =
    hasOwner(one) ||
    neighbour.owner === 'unnamed' ||
    neighbour.deviceFrom === 'inferred' ||
    forbids(neighbour, one.fault.reading.access);
  return weakerIf(against, neighbour.distance < NEAR ? 'likely' : 'possible');
}

const allowance = (neighbour: MappingSighting, { fault }: FaultCase): string =>
  forbids(neighbour, fault.reading.access)
    ? `, though its direction ${neighbour.direction} speaks against it`
    : '';

/** Only another device has the address. */
export const otherDevice: BlameRule = (one): BlameReason | undefined => {
  const { fault, kin, around } = one;
  const other = around.covering.find(({ owner, state }) => owner === 'other' && state === 'live');
  if (other === undefined || hasOwner(one)) return undefined;
  const relation = kin.relation(fault.device, other.device);
  return {
    code: 'other-device',
    confidence: relation === '' ? 'possible' : 'likely',
    text: `the address is a live mapping of another device, ${deviceWords(other)}${relation === '' ? '' : ` (${relation})`}: mapped for the wrong device, or a request under the wrong number. Equal addresses in different domains are normal, so this may be chance`,
    evidence: [evidenceAt(other.mapped, `mapped: ${mappingText(other)}`)],
  };
};

/** True when nothing of the device, and nothing unnamed, covers the address at any time, and nothing is missing. */
const isUncovered = ({ around, forgotten, lostEvents }: FaultCase): boolean =>
  around.covering.every(({ owner }) => owner === 'other') && forgotten === 0 && lostEvents === 0;

/** The trace holds nothing of the device: it cannot say anything. */
export const notTraced: BlameRule = (one): BlameReason | undefined => {
  const { fault, mappingsSeen, mappingsOfDevice } = one;
  if (!isUncovered(one) || mappingsOfDevice > 0) return undefined;
  const text =
    mappingsSeen === 0
      ? 'unknown: the trace shows no mapping at all; dma:* and iommu:* events must be on before the device works'
      : `unknown: the trace shows no mapping of ${fault.device}: its mappings are older than the trace, or made where nothing is traced`;
  return { code: 'not-traced', confidence: 'possible', text, evidence: [] };
};

/** The unit found an entry, the trace shows none. */
export const mappedUnseen: BlameRule = (one): BlameReason | undefined => {
  if (!isUncovered(one) || one.fault.reading.kind !== 'denied') return undefined;
  const { access } = one.fault.reading;
  return {
    code: 'mapped-unseen',
    confidence: 'likely',
    text: `the unit found an entry here that refuses the ${access}, but the trace shows no mapping: it is older than the trace, or nobody traced made it; its direction forbids the access`,
    evidence: [remark(`${one.fault.codeText}: ${one.fault.reading.words}`)],
  };
};

/** Nothing of the device covers the address at any time. */
export const neverMapped: BlameRule = (one): BlameReason | undefined => {
  const { fault, mappingsOfDevice, firstTime } = one;
  if (!isUncovered(one) || mappingsOfDevice === 0 || fault.reading.kind === 'denied') return undefined;
  const whose = fault.device === '' ? 'mapping' : `mapping of ${fault.device}`;
  return {
    code: 'never-mapped',
    confidence: 'possible',
    text: `never mapped: no ${whose} covers the address anywhere in the trace; one from before its beginning would not be seen`,
    evidence: [
      remark(
        firstTime < 0 ? 'the trace has no times in seconds' : `the trace begins at ${timeText(firstTime)}`,
      ),
    ],
  };
};
