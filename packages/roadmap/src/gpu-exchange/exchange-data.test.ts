// What every byte must be: nobody's bytes are there before they were written, and no two rounds share a place on the disk.
import { expect, it } from 'vitest';
import { bytesDiffering } from '../revoke/lent-slots.ts';
import { ExchangeData } from './exchange-data.ts';

const BYTES = 2 ** 16;
const MOST_BYTES: number = 2 ** 21;

it('the disk holds what is read from it, and not yet what the peer sends back', () => {
  const data = new ExchangeData(5, 2, 2);
  const read = new Uint8Array(BYTES);
  data.medium.read(data.position(1, 1, 'read') / 512, read);
  expect(read).toEqual(data.held(1, 1, BYTES));
  const [before, sent] = [data.written(1, 1, BYTES), data.sent(1, 1, BYTES)];
  for (let at = 0; at < BYTES; at += 512)
    expect(bytesDiffering(before.subarray(at, at + 512), sent.subarray(at, at + 512))).toBeGreaterThan(0);
});

it('every object has places of its own in every round', () => {
  const data = new ExchangeData(5, 3, 2);
  const places = [0, 1, 2].flatMap((object) =>
    [0, 1].flatMap((round) => [
      data.position(object, round, 'read'),
      data.position(object, round, 'written'),
    ]),
  );
  const sorted = [...places].sort((one, other) => one - other);
  for (const [at, place] of sorted.entries()) expect(place).toBe(at * MOST_BYTES);
});
