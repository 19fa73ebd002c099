// What a reader throws when an input cannot be a machine: where, what stands there, what should.
// Source followed: the house rule for bad user input: file, line, found, expected.
// A dump that is only incomplete is no error: what it does not show is `unknown` and a remark says why.
// Simplified: one error at a time, the first one met.

/**
 * Why a reader gave up.
 * `empty`: nothing was given. `unknown-format`: no reader knows the text. `two-machines`: one address, two devices.
 * `malformed`: the text breaks the rules of its own format. `too-large`: more than a machine can hold.
 * @public
 */
export type TopologyInputCode = 'empty' | 'unknown-format' | 'two-machines' | 'malformed' | 'too-large';

/**
 * Bad input of a topology reader.
 * @public
 */
export class TopologyInputError extends Error {
  /** The rule that was broken. */
  readonly code: TopologyInputCode;
  /** File of the input where it has several, else ''. */
  readonly file: string;
  /** Line of that file, from 1; 0 when the input has no lines. */
  readonly line: number;
  /** What stands there. */
  readonly found: string;
  /** What should stand there. */
  readonly expected: string;

  /** An error at `line` of `file`. */
  constructor(
    code: TopologyInputCode,
    place: { file?: string; line: number },
    found: string,
    expected: string,
  ) {
    const file = place.file ?? '';
    const where = [file, place.line > 0 ? `line ${place.line}` : ''].filter((part) => part !== '').join(', ');
    super(`${where === '' ? '' : `${where}: `}found ${found}; expected ${expected}`);
    this.name = 'TopologyInputError';
    this.code = code;
    this.file = file;
    this.line = place.line;
    this.found = found;
    this.expected = expected;
  }
}

/**
 * At most `length` characters of what was found, for a message.
 * @internal
 */
export function shown(text: string, length = 60): string {
  const plain = text.trim().replace(/\s+/g, ' ');
  return plain.length <= length
    ? JSON.stringify(plain)
    : `${JSON.stringify(plain.slice(0, length))} and more`;
}
