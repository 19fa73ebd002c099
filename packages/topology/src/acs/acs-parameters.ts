// The ACS options of the kernel's `pci=` argument, taken apart as the kernel does it.
// Source followed: pci_setup (commas separate options), the ACS parameter code of 6.1 and 6.12 and later: entries separated by
// `;`; config_acs has `flags@device`, flags read from the right: the rightmost is Source Validation; 0 and 1 set a bit,
// x leaves what firmware set. A broken entry ends the list: nothing behind it is looked at.
// Simplified: what other options of `pci=` mean is not looked at.

import { ALL_ACS_BITS, REDIRECT_BITS } from './acs-control.ts';
import type { AcsMistake, AcsMistakeCode } from './acs-mistake.ts';
import { type DeviceMatch, parseDeviceMatch } from './device-match.ts';

/**
 * One entry of an option: for which devices which bits become what.
 * @public
 */
export interface AcsEntry {
  /** The entry as written. */
  readonly text: string;
  /** Bits that the entry decides. */
  readonly mask: number;
  /** Their values. */
  readonly flags: number;
  /** The device part, taken apart. */
  readonly device: DeviceMatch;
}

/**
 * The ACS options of a kernel command line.
 * @public
 */
export interface AcsParameters {
  /** Entries of `disable_acs_redir=`, as far as the kernel reads them. */
  readonly disableRedirect: readonly AcsEntry[];
  /** Entries of `config_acs=`, as far as the kernel reads them. */
  readonly configure: readonly AcsEntry[];
  readonly mistakes: readonly AcsMistake[];
}

const looksLikeDevice = /^(?:[01xX]+@.*|pci:.*|(?:[0-9a-f]+:)?[0-9a-f]+:[0-9a-f]+[.][0-9a-f]+(?:\/.*)?)$/i;

/**
 * Takes the options from a command line (`... pci=config_acs=xx0xx0x@0000:01:00.0 ...`), from a `pci=` argument, or from
 * one option alone. Options that have nothing to do with ACS are passed over.
 * @public
 */
export function parseAcsParameters(text: string): AcsParameters {
  const reader = new ParameterReader();
  const words = text.replaceAll(/["']/g, '').trim().split(/\s+/);
  const hasArgument = words.some((word) => word.startsWith('pci='));
  words.forEach((word, position) => {
    const before = words[position - 1] ?? '';
    if (!hasArgument || word.startsWith('pci=')) reader.argument(word.replace(/^pci=/, ''));
    if (position > 0 && !word.includes('=')) reader.afterSpace(before, word);
  });
  return { disableRedirect: reader.disableRedirect, configure: reader.configure, mistakes: reader.mistakes };
}

/** Collects entries and mistakes while the argument is read from left to right. */
class ParameterReader {
  disableRedirect: AcsEntry[] = [];
  configure: AcsEntry[] = [];
  readonly mistakes: AcsMistake[] = [];
  readonly #seen: Set<string> = new Set();

  argument(text: string): void {
    let before = '';
    for (const option of text.split(',')) {
      const [name = '', ...value] = option.split('=');
      if (name === 'disable_acs_redir' || name === 'config_acs') this.#option(name, value.join('='));
      else if (this.#seen.size > 0 && looksLikeDevice.test(option)) this.#comma(before, option);
      before = option;
    }
  }

  /** A word that a space cut off from the argument before it. */
  afterSpace(before: string, word: string): void {
    const [device = ''] = word.split(';');
    if (this.#seen.size === 0 || !(before.endsWith(';') || looksLikeDevice.test(device))) return;
    this.#mistake(
      'space',
      word,
      `a space ends the argument: the kernel never sees "${word}" as part of it; write "${before.replace(/;$/, '')};${word}"`,
    );
  }

  #comma(before: string, option: string): void {
    this.#mistake(
      'comma',
      option,
      `a comma ends the option: the kernel takes "${option}" for another option and ignores it; write "${before};${option}" (and quote the semicolon in a boot loader)`,
    );
  }

  #option(name: 'disable_acs_redir' | 'config_acs', value: string): void {
    if (this.#seen.has(name)) this.#mistake('given-twice', value, `only the last ${name}= counts`);
    this.#seen.add(name);
    if (value === '') this.#mistake('no-device', `${name}=`, 'without a device nothing changes');
    const entries = this.#entries(value, name === 'config_acs');
    if (name === 'config_acs') this.configure = entries;
    else this.disableRedirect = entries;
  }

  #entries(value: string, withFlags: boolean): AcsEntry[] {
    const entries: AcsEntry[] = [];
    // A semicolon at the very end is fine; an empty entry elsewhere is no device.
    for (const text of value.replace(/;$/, '').split(';')) {
      if (value === '') break;
      const flags = withFlags ? this.#flags(text) : { mask: REDIRECT_BITS, flags: 0, device: text };
      const parsed = flags === undefined ? undefined : this.#device(flags.device);
      if (flags === undefined || parsed === undefined) break;
      entries.push({ text, mask: flags.mask, flags: flags.flags, device: parsed.match });
      if (parsed.rest === '') continue;
      this.#mistake(
        'text-left-over',
        text,
        `the kernel stops reading before "${parsed.rest}": the entry means ids only, and later entries are ignored; a place is written without "pci:"`,
      );
      break;
    }
    return entries;
  }

  #flags(text: string): { mask: number; flags: number; device: string } | undefined {
    const at = text.indexOf('@');
    if (at < 0)
      return this.#mistake(
        'flags-missing',
        text,
        'every entry needs its own flags: write flags@device; the kernel ignores this entry and all after it',
      );
    let mask = 0;
    let flags = 0;
    for (let shift = 0; shift < at; shift += 1) {
      const flag = text[at - 1 - shift] ?? '';
      if (!'01xX'.includes(flag))
        return this.#mistake(
          'flags-invalid',
          text,
          `"${flag}" is no flag: 0 clears a bit, 1 sets it, x leaves what firmware set; the kernel ignores this entry and all after it`,
        );
      if (flag !== 'x' && flag !== 'X') mask += 2 ** shift;
      if (flag === '1') flags += 2 ** shift;
    }
    if (mask > ALL_ACS_BITS)
      return this.#mistake(
        'flags-reserved',
        text,
        'there are seven bits; from the right: source validation, translation blocking, request redirect, completion redirect, upstream forwarding, egress control, direct translated',
      );
    return { mask, flags, device: text.slice(at + 1) };
  }

  #device(text: string): ReturnType<typeof parseDeviceMatch> {
    const parsed = parseDeviceMatch(text);
    if (parsed !== undefined && parsed.match.kind !== 'broken-path') return parsed;
    const whose = parsed === undefined ? '' : ', for functions whose place ends like this one';
    this.#mistake(
      'device-invalid',
      text,
      `write [domain:]bus:device.function[/device.function...] or pci:vendor:device[:subvendor:subdevice]; the kernel ignores this entry and all after it${whose}`,
    );
    return parsed;
  }

  #mistake(code: AcsMistakeCode, text: string, explanation: string): undefined {
    this.mistakes.push({ code, text, explanation });
    return undefined;
  }
}
