// Rows that no suite of the kernel has, and the list of all keys: each is carried out here, or it says why not.
import { expect, it } from 'vitest';
import { IOAS_ROWS } from '../tables/g-ioas-rows.ts';
import { DIRTY_ROWS, EXTRA_ROWS, MOCK_ROWS, UNMODELLED_ROWS } from '../tables/g-mock-rows.ts';
import { ACCESS_PLAYS } from './access-plays.ts';
import { AREA_PLAYS } from './area-plays.ts';
import { BUFFER_PLAYS } from './buffer-plays.ts';
import { dirtyPlays, HOLE_PLAYS, RECORD_PLAYS } from './dirty-plays.ts';
import { MOCK_PLAYS } from './mock-plays.ts';
import { testRows } from './play.ts';

testRows(EXTRA_ROWS, { ...BUFFER_PLAYS, ...HOLE_PLAYS }, [{ name: 'mock_domain', devices: 1 }]);

/** All keys of the tables: I01 to I37, M01 to M08, T01 to T06, X1 to X14. */
const KEYS: readonly string[] = (
  [
    ['I', 37, 2],
    ['M', 8, 2],
    ['T', 6, 2],
    ['X', 14, 1],
  ] as const
).flatMap(([letter, count, digits]) =>
  Array.from({ length: count }, (_, at) => letter + String(at + 1).padStart(digits, '0')),
);

it('every key of the tables is a row with one test, or is named as one that is not modelled', () => {
  const rows = [...IOAS_ROWS, ...MOCK_ROWS, ...DIRTY_ROWS, ...EXTRA_ROWS];
  const plays = [ACCESS_PLAYS, AREA_PLAYS, BUFFER_PLAYS, HOLE_PLAYS, RECORD_PLAYS, MOCK_PLAYS];
  const [buffer] = [{ bytes: 8192, huge: false, unitsPerEntry: 2, marked: 1 }];
  const played = [...plays, dirtyPlays(buffer)].flatMap((some) => Object.keys(some));
  const absent = UNMODELLED_ROWS.map(({ key }) => key);
  expect(played.sort()).toEqual(rows.map(({ key }) => key).sort());
  expect([...played, ...absent].sort()).toEqual([...KEYS].sort());
  expect(UNMODELLED_ROWS.every(({ why }) => why.length > 0)).toBe(true);
});
