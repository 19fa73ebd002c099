// Merged stories: faults with one device, one access, one owner (or one page) and one reason are told once.
// Source followed: none.
// Simplified: the earliest story's numbers are shown; the others add to its counts.

import { type BlameStory, leadingCode } from './blame-story.ts';
import { isLowerAddress } from './fault-address.ts';
import { pageStart } from './mapping-sighting.ts';

/** The stories without repetitions, in their order. */
export function mergedStories(stories: readonly BlameStory[]): BlameStory[] {
  const told = new Map<string, BlameStory>();
  const kept: BlameStory[] = [];
  for (const story of stories) {
    const keys = keysOf(story);
    const before = keys.map((key) => told.get(key)).find((one) => one !== undefined);
    if (before === undefined) kept.push(story);
    else addTo(before, story);
    for (const key of keys) if (!told.has(key)) told.set(key, before ?? story);
  }
  return kept;
}

function keysOf(story: BlameStory): string[] {
  const { fault, owner, count } = story;
  if (count === 0) return [];
  const common = `${fault.device} ${fault.reading.access} ${leadingCode(story)}`;
  const byPage = `${common} page ${pageStart(fault.address)}`;
  return owner === undefined ? [byPage] : [`${common} owner ${owner.id}`, byPage];
}

function addTo(before: BlameStory, story: BlameStory): void {
  before.count += story.count;
  before.addressLow = Math.min(before.addressLow, story.addressLow);
  before.addressHigh = Math.max(before.addressHigh, story.addressHigh);
  const { addressLowText: low, addressHighText: high } = story;
  if (isLowerAddress(low, before.addressLowText)) before.addressLowText = low;
  if (isLowerAddress(before.addressHighText, high)) before.addressHighText = high;
  if (story.last.line > before.last.line) before.last = story.last;
  for (const telling of story.tellings) {
    const same = before.tellings.find(
      ({ source, codeText }) => source === telling.source && codeText === telling.codeText,
    );
    if (same === undefined) before.tellings.push(telling);
    else same.count += telling.count;
  }
}
