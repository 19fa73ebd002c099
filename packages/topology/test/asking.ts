// What tests ask of a machine or of a reader, and have to be sure of.
// Source followed: none.
// Simplified: for tests only.

import { type DumpedFunction, functionAt, type MachineDump, TopologyInputError } from '../src/index.ts';

/** The function called `name`; throws when there is none. */
export function at(dump: MachineDump, name: string): DumpedFunction {
  const fn = functionAt(dump, name);
  if (fn === undefined) throw new RangeError(`no ${name}`);
  return fn;
}

/** Name of the bridge above, `root`, or `unknown`. */
export const upName = ({ upstream }: DumpedFunction): string =>
  typeof upstream === 'string' ? upstream : upstream.name;

/** What a reader refuses with; throws when it reads. */
export function refusal(read: () => MachineDump): TopologyInputError {
  try {
    read();
  } catch (error) {
    if (error instanceof TopologyInputError) return error;
    throw error;
  }
  throw new RangeError('it was read');
}
