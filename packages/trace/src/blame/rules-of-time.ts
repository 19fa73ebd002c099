// Rules of time: the address was right, but not then: freed before, mapped after, or in a race with either.
// Source followed: none; the trace events of different CPUs can change places by some microseconds.
// Simplified: fixed spans decide how much a gap weighs; they are stated here.

import type { BlameConfidence, BlameEvidence, BlameReason, BlameRule, FaultCase } from './blame-reason.ts';
import { evidenceAt, remark, weakerIf } from './blame-reason.ts';
import type { MappingSighting } from './mapping-sighting.ts';
import { mappingText } from './mapping-words.ts';
import { formerAllowing } from './rules-of-place.ts';
import { bytesText, spanText } from './wording.ts';

/** Lines this close may be in the wrong order: 1 ms. */
const RACE = 1e6;
/** A gap up to 1 s is the normal life of a stale address; up to 60 s it is still likely. */
const FRESH = 1e9;
const OLD = 60e9;

const candidates = ({ around }: FaultCase, state: MappingSighting['state']): readonly MappingSighting[] =>
  around.covering.filter((one) => one.owner !== 'other' && one.state === state);

/** Everything that was mapped here had ended. */
export const usedAfterEnd: BlameRule = (one): BlameReason | undefined => {
  const [live] = candidates(one, 'live');
  const ended = live?.owner === 'own' ? formerAllowing(one, live) : candidates(one, 'ended')[0];
  if (ended === undefined) return undefined;
  const free = ended.kind === 'coherent';
  const against = contradictions(one, ended, live);
  return {
    code: free ? 'use-after-free' : 'use-after-unmap',
    confidence: against.reduce<BlameConfidence>((word) => weakerIf(true, word), endedConfidence(ended)),
    text: `${free ? 'use after free' : 'use after unmap'}: the device still used ${placeIn(ended)}, reported ${gapWords(ended)}`,
    evidence: [...endedEvidence(ended), ...against],
  };
};

function endedConfidence({ owner, sinceReleased, deviceFrom }: MappingSighting): BlameConfidence {
  const surely = owner === 'own' && deviceFrom !== 'inferred';
  if (Number.isNaN(sinceReleased)) return surely ? 'likely' : 'possible';
  const word = sinceReleased <= FRESH ? 'strong' : sinceReleased <= OLD ? 'likely' : 'possible';
  return weakerIf(!surely, word);
}

function contradictions(
  one: FaultCase,
  ended: MappingSighting,
  live: MappingSighting | undefined,
): BlameEvidence[] {
  const found: BlameEvidence[] = [];
  if (live !== undefined) {
    found.push(
      evidenceAt(
        live.mapped,
        `against it: a live mapping of ${live.owner === 'own' ? 'the device' : 'unknown owner'} is here too (${mappingText(live)})`,
      ),
    );
  }
  if (one.fault.reading.kind === 'denied') {
    found.push(remark('against it: the unit says that a translation was present'));
  }
  if (!ended.inside)
    found.push(remark('against it: only the page was mapped, the byte lies outside the buffer'));
  return found;
}

function endedEvidence(ended: MappingSighting): BlameEvidence[] {
  const { mapped, released, ended: end, kind } = ended;
  const from =
    mapped.line < 0
      ? remark('mapped before the trace begins')
      : evidenceAt(mapped, `mapped: ${mappingText(ended)}`);
  const evidence = [from];
  if (released !== undefined)
    evidence.push(evidenceAt(released, kind === 'coherent' ? 'freed' : 'given up by the driver'));
  if (end !== undefined) evidence.push(evidenceAt(end, 'unmapped'));
  return evidence;
}

const placeIn = ({ offset, bytes, inside }: MappingSighting): string =>
  inside && offset > 0
    ? `byte ${offset} of a buffer of ${bytesText(bytes)}`
    : `a buffer of ${bytesText(bytes)}`;

function gapWords({ released, ended, sinceReleased, sinceEnded }: MappingSighting): string {
  if (Number.isNaN(sinceReleased)) return 'after it was given up';
  if (
    released === undefined ||
    ended === undefined ||
    Number.isNaN(sinceEnded) ||
    released.line === ended.line
  ) {
    return `${spanText(sinceReleased)} after it was given up`;
  }
  const unmapped = sinceEnded >= 0 ? `${spanText(sinceEnded)} after` : `${spanText(-sinceEnded)} before`;
  return `${spanText(sinceReleased)} after it was given up, ${unmapped} its unmapping`;
}

/** Unmapped within a moment behind the fault: the access may have come after it. */
export const unmapRace: BlameRule = (one): BlameReason | undefined => {
  const [live] = candidates(one, 'live');
  if (live?.ended === undefined || !(live.sinceEnded < 0 && live.sinceEnded >= -RACE)) return undefined;
  return {
    code: 'unmap-race',
    confidence: weakerIf(live.owner === 'unnamed', 'likely'),
    text: `the mapping was undone ${spanText(-live.sinceEnded)} later; lines of different CPUs can change places, so the access may have come after the unmapping`,
    evidence: [evidenceAt(live.mapped, `mapped: ${mappingText(live)}`), evidenceAt(live.ended, 'unmapped')],
  };
};

/** Mapped a moment before the fault: the access may have come first. */
export const mapRace: BlameRule = (one): BlameReason | undefined => {
  const [live] = candidates(one, 'live');
  if (live === undefined || !(live.sinceMapped >= 0 && live.sinceMapped <= RACE)) return undefined;
  return {
    code: 'map-race',
    confidence: 'possible',
    text: `the mapping was made only ${spanText(live.sinceMapped)} before; the access may have come first`,
    evidence: [evidenceAt(live.mapped, `mapped: ${mappingText(live)}`)],
  };
};

/** Nothing was mapped yet. */
export const mappedOnlyLater: BlameRule = (one): BlameReason | undefined => {
  const [later] = candidates(one, 'later');
  if (later === undefined || candidates(one, 'live').length > 0) return undefined;
  const gap = -later.sinceMapped;
  return {
    code: 'mapped-only-later',
    confidence: weakerIf(candidates(one, 'ended').length > 0, gap <= RACE ? 'likely' : 'possible'),
    text: `access before the mapping existed: the address was mapped ${Number.isNaN(gap) ? 'later in the trace' : `${spanText(gap)} later`}`,
    evidence: [evidenceAt(later.mapped, `mapped: ${mappingText(later)}`)],
  };
};
