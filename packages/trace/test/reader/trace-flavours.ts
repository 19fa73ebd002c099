// The same events as other programs and options print them.
// Source followed: prefix layouts measured on 6.18 with trace, trace_pipe, trace-cmd 3.1.6 and perf 6.1.
// Simplified: arrays are printed alike by all but the last flavour.

/** What stands in a default trace line. */
export interface TraceLineParts {
  readonly comm: string;
  readonly pid: number;
  readonly cpu: number;
  readonly flags: string;
  /** Whole seconds and microseconds. */
  readonly seconds: number;
  readonly micros: number;
  readonly system: string;
  readonly name: string;
  readonly text: string;
}

export interface Flavour {
  readonly name: string;
  readonly format: string;
  readonly clock: string;
  /** The line tells task and CPU. */
  readonly context: boolean;
  /** Nanoseconds, or ticks, of the line. */
  time(parts: TraceLineParts): number;
  print(parts: TraceLineParts): string;
}

const right = (text: string | number, width: number): string => String(text).padStart(width);
const left = (text: string | number, width: number): string => String(text).padEnd(width);
const cpuOf = ({ cpu }: TraceLineParts): string => `[${String(cpu).padStart(3, '0')}]`;
const secondsOf = ({ seconds, micros }: TraceLineParts, digits = 6): string =>
  `${right(seconds, 5)}.${String(micros).padStart(6, '0')}${'0'.repeat(digits - 6)}`;
const nanoseconds = ({ seconds, micros }: TraceLineParts): number => (seconds * 1e6 + micros) * 1e3;
const eventOf = ({ name, text }: TraceLineParts): string => `${name}: ${text}`;
/** trace-cmd calls the event behind tracing_mark_write by its name. */
const padded = ({ name, text }: TraceLineParts): string =>
  name === 'tracing_mark_write'
    ? `${left('print:', 21)} ${name}: ${text}`
    : `${left(`${name}:`, 21)} ${text}`;
const perfEvent = ({ system, name, text }: TraceLineParts): string =>
  system === 'marker'
    ? `${right('ftrace:print:', 26)} ${name}: ${text}`
    : `${right(`${system}:${name}:`, 26)} ${text}`;
const task = ({ comm, pid }: TraceLineParts): string => `${right(comm, 16)}-${left(pid, 7)}`;
const cmdTask = ({ comm, pid }: TraceLineParts, width = 16): string =>
  `${right(comm, width)}-${left(pid, 5)}`;
const swapper = (comm: string): string => (comm === '<idle>' ? 'swapper' : comm);

/** Arrays as libtraceevent prints them: decimal, with spaces, without braces. */
const withPlainArrays = (text: string): string =>
  text.replace(/\{([^}]*)\}/g, (_, items: string) =>
    items
      .split(',')
      .filter((item) => item !== '')
      .map((item) => BigInt(item).toString())
      .join(' '),
  );

type Print = Flavour['print'];

const seconds = (name: string, format: string, print: Print): Flavour => ({
  ...{ name, format, print },
  clock: 'seconds',
  context: true,
  time: nanoseconds,
});

export const flavours: readonly Flavour[] = [
  seconds('trace', 'ftrace', (p) => `${task(p)} ${cpuOf(p)} ${p.flags} ${secondsOf(p)}: ${eventOf(p)}`),
  seconds('trace, four flags', 'ftrace', (p) => `${task(p)} ${cpuOf(p)} d..2 ${secondsOf(p)}: ${eventOf(p)}`),
  seconds(
    'trace, seven flags',
    'ftrace',
    (p) => `${task(p)} ${cpuOf(p)} ....... ${secondsOf(p)}: ${eventOf(p)}`,
  ),
  seconds(
    'trace without irq-info',
    'ftrace',
    (p) => `${task(p)} ${cpuOf(p)}  ${secondsOf(p)}: ${eventOf(p)}`,
  ),
  seconds(
    'trace with record-tgid',
    'ftrace',
    (p) => `${task(p)} (${right(p.pid, 7)}) ${cpuOf(p)} ${p.flags} ${secondsOf(p)}: ${eventOf(p)}`,
  ),
  seconds(
    'trace with an unknown thread group',
    'ftrace',
    (p) => `${task(p)} (-------) ${cpuOf(p)} ${p.flags} ${secondsOf(p)}: ${eventOf(p)}`,
  ),
  {
    name: 'trace with a clock that counts ticks',
    format: 'ftrace',
    clock: 'ticks',
    context: true,
    time: ({ seconds, micros }) => seconds * 1e6 + micros,
    print: (p) => `${task(p)} ${cpuOf(p)} ${p.flags} ${p.seconds * 1e6 + p.micros}: ${eventOf(p)}`,
  },
  {
    name: 'trace without context-info',
    format: 'bare',
    clock: 'none',
    context: false,
    time: () => -1,
    print: eventOf,
  },
  seconds('trace-cmd report', 'trace-cmd', (p) => `${cmdTask(p)} ${cpuOf(p)} ${secondsOf(p)}: ${padded(p)}`),
  seconds(
    'trace-cmd report, wide commands',
    'trace-cmd',
    (p) => `${cmdTask(p, 20)} ${cpuOf(p)} ${secondsOf(p)}: ${padded(p)}`,
  ),
  seconds(
    'trace-cmd report -t',
    'trace-cmd',
    (p) => `${cmdTask(p)} ${cpuOf(p)} ${secondsOf(p, 9)}: ${padded(p)}`,
  ),
  seconds(
    'trace-cmd report -l',
    'trace-cmd',
    (p) => `${cmdTask(p)} ${right(p.cpu, 3)}${p.flags} ${secondsOf(p)}: ${padded(p)}`,
  ),
  seconds(
    'trace-cmd report with flags',
    'trace-cmd',
    (p) => `${cmdTask(p)} ${cpuOf(p)} ${p.flags} ${secondsOf(p)}: ${padded(p)}`,
  ),
  seconds(
    'trace-cmd report of an instance',
    'trace-cmd',
    (p) => `my-dma: ${cmdTask(p, 20)} ${cpuOf(p)} ${secondsOf(p)}: ${padded(p)}`,
  ),
  seconds(
    'perf script',
    'perf',
    (p) => `${right(swapper(p.comm), 16)} ${right(p.pid, 5)} ${cpuOf(p)} ${secondsOf(p)}: ${perfEvent(p)}`,
  ),
  seconds(
    'perf script --ns',
    'perf',
    (p) => `${right(swapper(p.comm), 16)} ${right(p.pid, 5)} ${cpuOf(p)} ${secondsOf(p, 9)}: ${perfEvent(p)}`,
  ),
  seconds(
    'perf script with pid and tid',
    'perf',
    (p) =>
      `${right(swapper(p.comm), 16)} ${right(p.pid, 5)}/${left(p.pid, 5)} ${cpuOf(p)} ${secondsOf(p)}: ${perfEvent(p)}`,
  ),
  seconds(
    'perf script, arrays by libtraceevent',
    'perf',
    (p) =>
      `${right(swapper(p.comm), 16)} ${right(p.pid, 5)} ${cpuOf(p)} ${secondsOf(p)}: ${perfEvent({ ...p, text: withPlainArrays(p.text) })}`,
  ),
];
