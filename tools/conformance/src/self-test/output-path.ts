// Output paths: how a suite names the recorded results inside a record. `nents` is a field, `calls[].ret` that field
// of each element of a list, `state.depot` a field of an object.
// `pair[1]` names one element of a list that is a tuple.
// Simplified: none.

/** Where a value lies in a record. */
export type Location = readonly (string | number)[];

const EACH = Symbol('each element');

function stepsOf(path: string): (string | number | typeof EACH)[] {
  return path
    .split('.')
    .flatMap((part) => part.split(/(\[\d*\])/))
    .filter((part) => part !== '')
    .map((part) => {
      if (part === '[]') return EACH;
      const index = /^\[(\d+)\]$/.exec(part)?.[1];
      return index === undefined ? part : Number(index);
    });
}

/** The value at a location. */
export function valueAt(record: unknown, location: Location): unknown {
  let value = record;
  for (const step of location) value = (value as Record<string | number, unknown>)[step];
  return value;
}

/** A copy of a record with one value replaced; what does not lie on the way to it is shared. */
export function withValueAt<T>(record: T, location: Location, replacement: unknown): T {
  const [step, ...rest] = location;
  if (step === undefined) return replacement as T;
  const copy = (Array.isArray(record) ? [...record] : { ...record }) as Record<string | number, unknown>;
  copy[step] = withValueAt(copy[step], rest, replacement);
  return copy as T;
}

/** The places in a record that an output path names; none when the record lacks the field. */
export function locate(record: unknown, path: string): Location[] {
  let found: { location: Location; value: unknown }[] = [{ location: [], value: record }];
  for (const step of stepsOf(path)) {
    found = found.flatMap(({ location, value }) => {
      if (step === EACH) {
        return Array.isArray(value)
          ? value.map((element, index) => ({ location: [...location, index], value: element as unknown }))
          : [];
      }
      const present = typeof value === 'object' && value !== null && Object.hasOwn(value, step);
      return present
        ? [{ location: [...location, step], value: (value as Record<string, unknown>)[step] }]
        : [];
    });
  }
  return found.map(({ location }) => location);
}

/** The fields of a record that no output path names, lists as `[]`. */
export function fieldsOutside(record: unknown, outputs: readonly string[], prefix: string = ''): string[] {
  const inner = (path: string, value: unknown): string[] => {
    if (outputs.includes(path)) return [];
    const partly = outputs.some((output) => output.startsWith(`${path}.`) || output.startsWith(`${path}[`));
    return partly ? fieldsOutside(value, outputs, path) : [path];
  };
  if (Array.isArray(record)) {
    return [...new Set(record.flatMap((element) => inner(`${prefix}[]`, element)))];
  }
  if (typeof record !== 'object' || record === null) return [prefix];
  return Object.entries(record).flatMap(([field, value]) =>
    inner(prefix === '' ? field : `${prefix}.${field}`, value),
  );
}
