// NvioTrace: the trace beside a request list, cut at the markers that the recorder wrote around each request.
// Field meanings: vectors/kernel/README.md, section io/. What stands between the markers of a request and up to the
// next request is that request's: nothing else ran, and what completes late completes before the next call.
// Times, tasks and flags are not comparable; of the flags the context is kept, by which the timer is told.
// Simplified: lines before the first marker belong to the boot and are left out.

/** A line of an event. */
export interface NvioTraceLine {
  /** Line of the trace, from 1. */
  readonly number: number;
  readonly cpu: number;
  /** Third flag: task, soft or hard interrupt; empty without flags. */
  readonly context: string;
  readonly event: string;
  readonly payload: string;
}

/** What the trace holds of one request. */
export interface NvioWindow {
  readonly k: number;
  /** Markers at its start and end, with `nvio k=N ` taken off. */
  readonly starts: string[];
  readonly ends: string[];
  readonly lines: NvioTraceLine[];
  /** Those of `lines` that stand behind the marker at the end. */
  readonly late: NvioTraceLine[];
  /** Lines that are no trace lines, as `number: text`. */
  readonly unreadable: string[];
}

const LINE = /^\s*\S.*-\d+\s+(?:\([\d\s-]+\)\s+)?\[(\d+)\]\s+(?:(\S{5})\s+)?\d+\.\d+: (\w+): (.*)$/;
const MARKER = /^nvio k=(\d+) (done )?(.*)$/;

/** The name of the trace that belongs to a list. */
export const nvioTraceName = (stem: string): string => `trace_${stem}.txt`;

/** Cuts a trace into the windows of its requests, by number; a request that starts twice keeps both markers. */
export function nvioWindows(trace: string): Map<number, NvioWindow> {
  const windows = new Map<number, NvioWindow>();
  let current: NvioWindow | null = null;
  for (const [index, text] of trace.split(/\r?\n/).entries()) {
    const number = index + 1;
    if (text.trim() === '' || text.startsWith('#')) continue;
    const line = parse(text, number);
    if (line?.event !== 'tracing_mark_write') {
      if (line === null) current?.unreadable.push(`${number}: ${text}`);
      else {
        current?.lines.push(line);
        if ((current?.ends.length ?? 0) > 0) current?.late.push(line);
      }
      continue;
    }
    const [, k, done, rest = ''] = MARKER.exec(line.payload) ?? [];
    if (k === undefined) {
      current?.unreadable.push(`${number}: ${text}`);
      continue;
    }
    current = windows.get(Number(k)) ?? {
      k: Number(k),
      starts: [],
      ends: [],
      lines: [],
      late: [],
      unreadable: [],
    };
    windows.set(current.k, current);
    (done === undefined ? current.starts : current.ends).push(rest);
  }
  return windows;
}

function parse(text: string, number: number): NvioTraceLine | null {
  const [, cpu, flags = '', event = '', payload = ''] = LINE.exec(text) ?? [];
  if (cpu === undefined) return null;
  return { number, cpu: Number(cpu), context: flags.charAt(2), event, payload };
}

/** The disk that a list went to, which only the trace says: the device that most calls were made for; null without one. */
export function nvioDiskName(windows: ReadonlyMap<number, NvioWindow>): string | null {
  const calls = new Map<string, number>();
  for (const { event, payload } of [...windows.values()].flatMap(({ lines }) => lines)) {
    if (event !== 'dma_map_phys' && event !== 'dma_unmap_phys') continue;
    const [device = ''] = payload.split(' ');
    calls.set(device, (calls.get(device) ?? 0) + 1);
  }
  return [...calls].sort(([, one], [, other]) => other - one)[0]?.[0] ?? null;
}
