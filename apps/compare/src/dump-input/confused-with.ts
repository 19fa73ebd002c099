// What people hand in instead of a dump of a machine, by its first lines, and what to run for the right thing.
// Source followed: the shapes of dmesg, journalctl, /dev/kmsg, kernel traces, lspci -mm, lsusb, nvidia-smi topo -m, lstopo.
// Simplified: the first two hundred lines decide.

const LINES = 200;

const KERNEL_LOG = 'a kernel log, which shows no ACS registers (lspci -vvv as root does)';

const KINDS: readonly (readonly [RegExp, string])[] = [
  [/\0/, 'binary data, no text'],
  [/^(?:<\d+>)?\[ *\d+\.\d{6}\] /m, KERNEL_LOG],
  [/^\[\w{3} \w{3} [ \d]\d [\d:]{8} \d{4}\] /m, KERNEL_LOG],
  [/^\d+,\d+,\d+,[-c+][^;]*;/m, KERNEL_LOG],
  [/^(?:\w{3} [ \d]\d [\d:]{8}|\d{4}-\d\d-\d\dT\S+) \S+ kernel: /m, KERNEL_LOG],
  [
    /^(?:[\da-f]{4,8}:)?[\da-f]{2}:[\da-f]{2}\.[0-7] "|^Slot:\t/im,
    'lspci -mm or -vmm output, which shows no bridges (lspci -vvv does)',
  ],
  [/^Bus \d{3} Device \d{3}: ID /m, 'lsusb output, which shows no PCI devices (lspci -vvv does)'],
  [/^<topology\b/m, 'an hwloc topology, which shows no ACS registers (lspci -vvv as root does)'],
  [/^<(?:!doctype html|html)\b/im, 'a web page'],
  [
    /^# tracer: |^ *\S+-\d+ +\[\d{3}\] .{0,8}\d+\.\d+: /m,
    'a kernel trace (sgfree replay and sgfree blame read those)',
  ],
  [/^\s+GPU0\s+GPU1/m, 'an nvidia-smi topo matrix, which shows no bridges (lspci -vvv does)'],
  [/^\{"op":/m, 'a request list (sgfree compare --requests reads those)'],
];

/** What the text is, when it is a known other kind; null otherwise. */
export function confusedWith(text: string): string | null {
  const head = text.split('\n', LINES).join('\n');
  return KINDS.find(([shape]) => shape.test(head))?.[1] ?? null;
}
