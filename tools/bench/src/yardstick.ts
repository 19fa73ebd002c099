// The yardstick: a fixed piece of work whose time is printed beside every case, so that figures of different machines
// and of a busy machine can be compared. One unit is a chain of dependent loads from a 4 KiB table of integers with an
// add, an exclusive or and a mask each: what the model's hot loops consist of. It takes about 100 ns.
// Simplified: it says nothing about memory bandwidth or garbage collection.

const TABLE_LENGTH = 1024;
const STEPS_PER_UNIT = 36;

function makeTable(): Int32Array {
  const table = new Int32Array(TABLE_LENGTH);
  let state = 1;
  for (let index = 0; index < TABLE_LENGTH; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    table[index] = state >>> 8;
  }
  return table;
}

const table = makeTable();

/** Runs the yardstick; the result only keeps the loop from being optimised away. */
export function runYardstick(units: number): number {
  let at = 0;
  let sum = 0;
  for (let unit = 0; unit < units; unit++) {
    for (let step = 0; step < STEPS_PER_UNIT; step++) {
      sum = (sum + (table[at] ?? 0)) | 0;
      at = (at ^ sum) & (TABLE_LENGTH - 1);
    }
  }
  return sum;
}
