// Numbers with their noun, for people.
// Simplified: nouns whose plural ends in s.

import { grouped } from './text-table.ts';

/** `1 mapping`, `2,000 mappings`. */
export const counted = (count: number, noun: string): string =>
  `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`;
