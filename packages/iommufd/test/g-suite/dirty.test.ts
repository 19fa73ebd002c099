// The kernel's `iommufd_dirty_tracking` tests, row by row: the record itself with every buffer and at every offset of the bitmap.
import { describe, expect, it } from 'vitest';
import { DIRTY_BUFFERS, DIRTY_ROWS } from '../tables/g-mock-rows.ts';
import { dirtyPlays, RECORD_PLAYS } from './dirty-plays.ts';
import { playIn, testRows } from './play.ts';

const ONE = { name: 'dirty_tracking', devices: 1 };
const ROOM = 2 ** 20;

const hasPlay = ({ key }: { readonly key: string }): boolean => key in RECORD_PLAYS;

testRows(DIRTY_ROWS.filter(hasPlay), RECORD_PLAYS, [ONE]);

describe.each(DIRTY_ROWS.filter((row) => !hasPlay(row)))('$key $test', ({ key, mock = [] }) => {
  it.each(DIRTY_BUFFERS)('$bytes bytes, $unitsPerEntry units in an entry', (buffer) => {
    const play = dirtyPlays(buffer)[key];
    expect(play).toBeDefined();
    if (play !== undefined) playIn(ONE, play, mock, buffer.bytes + 64 * ROOM);
  });
});
