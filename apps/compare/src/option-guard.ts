// What is refused of options with a value, and in which words: a value that is really the next option, a second value
// that would silently take the place of the first, and a value that the option's own check refuses.
// Source followed: the project's command-line conventions; commander takes the first two without a word.
// Simplified: whoever means a file whose name begins with a dash writes `./-name`.

import { type Command, InvalidArgumentError, type Option } from 'commander';
import { InputError } from './request-list/input-error.ts';
import { printable } from './request-list/shown-value.ts';

const repeatable = new WeakSet<Option>();

/** Lets `option` be given several times; its own check puts the values together. */
export function mayRepeat(option: Option): Option {
  repeatable.add(option);
  return option;
}

/** Guards all options of `command` that take a value; to be called once, before the command line is read. */
export function guardOptions(command: Command): void {
  const flags = command.options.flatMap(({ short, long }) => [short, long]);
  for (const option of command.options.filter(({ required }) => required)) guard(option, flags);
}

function guard(option: Option, flags: readonly (string | undefined)[]): void {
  const name = option.long ?? option.flags;
  const check = option.parseArg;
  let given = false;
  option.argParser((text: string, before: unknown): unknown => {
    if (text.startsWith('--') || flags.includes(text)) {
      throw new InputError(name, 0, `the argument missing before ${printable(text)}`, option.flags);
    }
    if (given && !repeatable.has(option)) throw new InputError(name, 0, 'the option twice', 'it once');
    given = true;
    return check === undefined ? text : checkedBy(() => check.call(option, text, before), option, text);
  });
}

/** Commander's refusal of a value in the words of every other one. */
function checkedBy(check: () => unknown, option: Option, text: string): unknown {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    const { long, flags, argChoices } = option;
    const expected = argChoices === undefined ? error.message : `one of ${argChoices.join(', ')}`;
    throw new InputError(long ?? flags, 0, JSON.stringify(printable(text)), expected);
  }
}
