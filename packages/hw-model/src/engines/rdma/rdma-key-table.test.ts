// RdmaKeyTable: rows that outlive the device's reset.
import { expect, it } from 'vitest';
import { RdmaKeyTable } from './rdma-key-table.ts';

it('a row that a reset forgot is given back without taking the row that has its index now', () => {
  const keys = new RdmaKeyTable(4);
  const old = keys.allocate('region', 1);
  keys.clear();
  const fresh = keys.allocate('region', 1);
  if (old === null || fresh === null) throw new RangeError('no row');
  expect(fresh.index).toBe(old.index);
  keys.release(old);
  expect([keys.at(fresh.index), keys.size]).toEqual([fresh, 1]);
  keys.release(fresh);
  expect(keys.size).toBe(0);
});
