// What people get wrong in `pci=disable_acs_redir=` and `pci=config_acs=`, and what the kernel makes of it.
// Source followed: the parsers of the kernel (pci_setup, pci_dev_str_match, the ACS parameter code) and what bug reports show.
// Simplified: boot loaders have mistakes of their own (an unquoted `;` ends a command in GRUB scripts); one hint covers them.

/**
 * A mistake in a parameter.
 * `comma`: a comma ends the whole option, devices are separated by semicolons. `space`: so does a space. `flags-missing`: `config_acs` needs
 * `flags@` before every device. `flags-invalid`: a flag other than 0, 1 or x. `flags-reserved`: a bit above Direct
 * Translated. `device-invalid`: no form of a device. `text-left-over`: characters behind a complete id form.
 * `no-device`: nothing after the `=`. `matches-nothing`: no function of the machine is meant. `no-acs`: a function is
 * meant that has no ACS capability. `not-in-kernel`: the kernel does not know the option. `given-twice`: only the last one counts.
 * @public
 */
export type AcsMistakeCode =
  | 'comma'
  | 'space'
  | 'flags-missing'
  | 'flags-invalid'
  | 'flags-reserved'
  | 'device-invalid'
  | 'text-left-over'
  | 'no-device'
  | 'matches-nothing'
  | 'no-acs'
  | 'not-in-kernel'
  | 'given-twice';

/**
 * A mistake, where it is, and what it does.
 * @public
 */
export interface AcsMistake {
  readonly code: AcsMistakeCode;
  /** The piece of the argument it is about. */
  readonly text: string;
  /** What the kernel does with it, and what to write instead. */
  readonly explanation: string;
}
