// World: everything of the process that the command touches, so that tests can hand in their own.
// Source followed: none.
// Simplified: standard input is read once, whole or as a stream.

/** The outside world as the command sees it. */
export interface World {
  out(text: string): void;
  err(text: string): void;
  /** Bytes to standard output; absent where only text can be printed. */
  readonly outBytes?: (bytes: Uint8Array) => void;
  /** Standard input to its end; null when that is more than `most` bytes away. */
  readStdin(most: number): Uint8Array | null;
  /** Standard input as it comes, for what need not be whole. */
  streamStdin(): AsyncIterable<Uint8Array>;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds that only ever grow. */
  now(): number;
  /** Where the lists shipped with the command lie. */
  readonly requestsFolder: string;
  /** Where a pci.ids database may lie; none = no names but those of the dump. */
  readonly pciIdsFiles?: readonly string[];
}

/** Colours only where a person sees them: NO_COLOR wins over FORCE_COLOR, which wins over the terminal test. */
export function wantsColour(world: World): boolean {
  const { NO_COLOR: no, FORCE_COLOR: force, TERM: term } = world.env;
  if (no !== undefined && no !== '') return false;
  if (force !== undefined && force !== '') return force !== '0';
  return world.stdoutIsTerminal && term !== 'dumb';
}
