// A progress line: one line that rewrites itself on a terminal and does not exist anywhere else.
// Simplified: cut to 100 columns instead of asking for the width of the terminal.

/** Where progress is shown. */
export interface ProgressLine {
  show(text: string): void;
  clear(): void;
}

/** A progress line on a stream, silent unless the stream is a terminal. */
export function progressLine(write: (text: string) => void, isTerminal: boolean): ProgressLine {
  if (!isTerminal) return { show: () => {}, clear: () => {} };
  return {
    show: (text) => write(`\r\u001b[K${text.slice(0, 100)}`),
    clear: () => write('\r\u001b[K'),
  };
}
