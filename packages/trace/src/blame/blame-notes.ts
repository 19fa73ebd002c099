// Blame notes: what must be said beside the reasons so that nobody reads more into a story than the trace holds.
// Source followed: lazy invalidation (an unmapped address stays usable until the flush), per-domain IOVA spaces.
// Simplified: the flush that is named is the first whole flush of any domain behind the unmapping.

import type { BlameReason, FaultCase } from './blame-reason.ts';
import type { BlameNote } from './blame-story.ts';
import type { FlushWatch } from './flush-watch.ts';
import type { MappingSighting } from './mapping-sighting.ts';
import { deviceWords, mappingText } from './mapping-words.ts';
import { isAboutUnit } from './recorded-fault.ts';
import { bytesText, spanText, timeText } from './wording.ts';

/** The notes of a story. */
export function notesFor(
  one: FaultCase,
  owner: MappingSighting | undefined,
  reasons: readonly BlameReason[],
  flushes: FlushWatch,
): BlameNote[] {
  // Nothing of the trace bears on it.
  if (isAboutUnit(one.fault)) return [];
  const afterEnd = reasons.some(({ code }) => code === 'use-after-free' || code === 'use-after-unmap');
  return [
    ...(afterEnd && owner?.ended !== undefined ? windowNotes(owner, flushes, one.position.byTime) : []),
    ...placeNotes(one),
    ...(owner?.device === '' ? unnamedNotes(one, owner) : []),
    ...otherNotes(one),
    ...gapNotes(one),
  ];
}

function windowNotes({ ended }: MappingSighting, flushes: FlushWatch, byTime: boolean): BlameNote[] {
  if (flushes.mode === 'unknown') {
    const text =
      'the trace has no invalidation lines: with lazy invalidation the address stays usable for some milliseconds after its unmapping, and accesses in that window succeed unseen';
    return [{ code: 'flush-mode-unknown', text }];
  }
  if (flushes.mode === 'strict' || ended === undefined) return [];
  const flushed = flushes.firstAfter(ended.line);
  const until = Number.isNaN(flushed)
    ? 'no flush behind it is in the trace'
    : byTime
      ? `the next flush was at ${timeText(flushed)}, ${spanText(flushed - ended.time)} later`
      : 'the next flush is in the trace';
  const text = `lazy invalidation: from its unmapping to the next flush the address stayed usable (${until}); accesses in that window succeeded unseen, so this fault need not be the first wrong access`;
  return [{ code: 'lazy-window', text }];
}

function placeNotes({ fault, position }: FaultCase): BlameNote[] {
  const notes: BlameNote[] = [];
  if (fault.addressBytes > 1) {
    notes.push({ code: 'page-only', text: 'the unit reports the page of the access, not its byte' });
  }
  if (fault.device === '' && fault.source !== 'asked') {
    notes.push({
      code: 'no-device',
      text: 'the fault names no device: every mapping at the address is a candidate',
    });
  }
  if (!position.byTime && fault.source !== 'asked') {
    const text = 'the fault has no time, or one outside the trace: it is placed by its line';
    notes.push({ code: 'placed-by-line', text });
  }
  return notes;
}

/** Who may be behind a mapping that no line of the DMA API names. */
function unnamedNotes({ around }: FaultCase, { mapped }: MappingSighting): BlameNote[] {
  const { belowLive, aboveLive, belowEnded, aboveEnded } = around;
  const near = [belowLive, aboveLive, belowEnded, aboveEnded]
    .filter((one) => one !== undefined && one.device !== '')
    .sort((one, two) => (one?.distance ?? 0) - (two?.distance ?? 0))[0];
  const task = mapped.task === '' ? '' : ` It was mapped by ${mapped.task}.`;
  const hint =
    near === undefined
      ? ''
      : ` The nearest named mapping is ${mappingText(near)}, ${bytesText(near.distance)} away.`;
  const text = `no line of the DMA API names the device of this mapping (two-step transfers and direct users of the IOMMU leave none), so the owner is unknown.${task}${hint}`;
  return [{ code: 'owner-unnamed', text }];
}

function otherNotes({ around, fault }: FaultCase): BlameNote[] {
  const others = around.covering.filter(({ owner }) => owner === 'other');
  const names = [...new Set(others.map(deviceWords))];
  const notes: BlameNote[] = [];
  if (names.length > 0) {
    const text = `the same address is or was mapped for ${names.join(', ')} too; equal addresses in different domains are normal, so ${fault.device} decides`;
    notes.push({ code: 'other-devices-here', text });
  }
  if (around.coveringCount > around.covering.length) {
    const text = `${around.coveringCount} mappings covered the address; the ${around.covering.length} nearest are shown`;
    notes.push({ code: 'more-mappings', text });
  }
  return notes;
}

function gapNotes({ forgotten, lostEvents }: FaultCase): BlameNote[] {
  const notes: BlameNote[] = [];
  if (forgotten > 0) {
    const text = `${forgotten} ended mappings were forgotten to stay within the history: an older owner may be missing`;
    notes.push({ code: 'history-forgotten', text });
  }
  if (lostEvents > 0) {
    const text = `${lostEvents} events were lost when the trace was taken: a mapping or unmapping may be missing`;
    notes.push({ code: 'events-lost', text });
  }
  return notes;
}
