// What commander says of a wrong command line, in the words in which this program tells of all bad input.
// Source followed: the messages of commander 14; one that is not known stays as it is.
// Simplified: of several suggestions the line shows what commander shows.

import { InputError } from './request-list/input-error.ts';

/** Where, what was found, what was expected: of the parts of a message and the command that read it. */
type Reading = (part: readonly string[], command: string) => readonly [string, string, string];

const READINGS: readonly (readonly [RegExp, Reading])[] = [
  [
    /^unknown option '(.+?)'(?:\n\(Did you mean (.+)\?\))?$/s,
    ([, flag = '', meant], command) => [flag, 'an unknown option', meant ?? `an option of ${command}`],
  ],
  [
    /^unknown command '(.+?)'(?:\n\(Did you mean (.+)\?\))?$/s,
    ([, name = '', meant], command) => [name, 'an unknown command', meant ?? `a command of ${command}`],
  ],
  [
    /^option '((?:-\w, )?(\S+) .+)' argument missing$/,
    ([, flags = '', name = '']) => [name, 'the argument missing', flags],
  ],
  [
    /^missing required argument '(.+)'$/,
    ([, name], command) => [command.replace('sgfree ', ''), 'nothing to read', `${command} <${name}>`],
  ],
  [
    /^too many arguments(?: for '(.+)')?[.] Expected (\d+) arguments? but got (\d+)[.]$/,
    ([, name = 'sgfree', expected = '', got = '']) => [name, counted(got), counted(expected)],
  ],
  [
    /^option '(.+?)' cannot be used with option '(.+?)'$/,
    ([, one = '', other = '']) => [one, `${other} beside it`, 'one of them'],
  ],
];

/** The line for commander's `message`; `command` is what was called, such as `sgfree p2p`. */
export function usageError(message: string, command: string): string {
  const said = message.replace(/^error: /, '').trimEnd();
  for (const [shape, reading] of READINGS) {
    const parts = shape.exec(said);
    if (parts === null) continue;
    const [where, found, expected] = reading(parts, command);
    return `sgfree: ${new InputError(where, 0, found, expected).message}\n`;
  }
  return `sgfree: ${said}\n`;
}

const counted = (count: string): string => `${count} argument${count === '1' ? '' : 's'}`;
