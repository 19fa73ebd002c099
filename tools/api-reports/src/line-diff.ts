// What changed between two texts, line by line, for people: `- old` and `+ new` under the line where it happened.
// Source followed: the longest common subsequence by the usual table, after equal heads and tails are cut off.
// Simplified: no context lines; fine for reports of some thousand lines.

/** The changed lines from `before` to `after`; empty when the texts are equal. */
export function diffLines(before: string, after: string): string[] {
  const old = before.split('\n');
  const now = after.split('\n');
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < Math.min(old.length, now.length) - head && old.at(-1 - tail) === now.at(-1 - tail)) tail += 1;
  return changedLines(old.slice(head, old.length - tail), now.slice(head, now.length - tail), head);
}

function changedLines(old: readonly string[], now: readonly string[], head: number): string[] {
  const width = now.length + 1;
  const common = new Uint32Array((old.length + 1) * width);
  const at = (i: number, j: number): number => common[i * width + j] ?? 0;
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = now.length - 1; j >= 0; j -= 1) {
      common[i * width + j] = old[i] === now[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: string[] = [];
  let shown = -1;
  const show = (line: number, text: string): void => {
    if (line > shown + 1 || shown === -1) lines.push(`@ line ${head + line + 1}`);
    shown = line;
    lines.push(text);
  };
  for (let i = 0, j = 0; i < old.length || j < now.length; ) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      i += 1;
      j += 1;
    } else if (j >= now.length || (i < old.length && at(i + 1, j) >= at(i, j + 1))) {
      show(i, `- ${old[i] ?? ''}`);
      i += 1;
    } else {
      show(i, `+ ${now[j] ?? ''}`);
      j += 1;
    }
  }
  return lines;
}
