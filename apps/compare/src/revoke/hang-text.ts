// An owner that hangs, for people: where it waits, with which locks, for whose mapping, and what ended it.
// Source followed: the report of the hang; nothing is computed here.
// Simplified: none.

import type { RevokeHang } from '@sgfree/roadmap';
import { grouped } from '../text-table.ts';

/** One line for the owner, one for each who holds the memory, one for the end. `what` says which run it was. */
export function hangLines(what: string, hang: RevokeHang): string[] {
  const { waited, ownerAt, holdingLocks, holders, releasedAfter } = hang;
  const locks = holdingLocks.length === 0 ? 'no lock' : holdingLocks.join(' and ');
  return [
    `${what}: the owner hangs`,
    `  it still waited after ${grouped(waited)} steps at "${ownerAt}", holding ${locks}`,
    ...holders.map(
      ({ importer, device, offset, bytes, dmaAddress }) =>
        `  ${importer} of ${device} keeps ${grouped(bytes)} bytes from offset ${grouped(offset)} on mapped, at ${dmaAddress}`,
    ),
    releasedAfter === null
      ? '  it was not freed when these were deregistered'
      : `  freed ${grouped(releasedAfter)} ${releasedAfter === 1 ? 'step' : 'steps'} after these were deregistered`,
  ];
}
