// A replayed trace as one JSON document, schema sgfree/replay/v1.
// Source followed: the project's command-line conventions: versioned schema, addresses as hex strings, no timestamps of
// the run itself; what is inferred stands apart.
// Simplified: the reports go in as they are but for their addresses; their fields are documented at ReplayReport.

import { hex } from '@sgfree/hw-model';
import type { ReplayReport, ReplayRunReport, RunDeviceReport, TracedSide } from '@sgfree/roadmap';
import { reconstructionRules, type TraceTally } from '@sgfree/trace';
import type { TraceInput } from '../trace-input/open-trace.ts';

/** Name and version of the document's schema. */
const REPLAY_SCHEMA = 'sgfree/replay/v1';

/** What stands behind numbers that could be counted otherwise. */
export const countingRules = {
  tracking:
    'the structures of the API alone: struct scatterlist 32 bytes an entry, struct dma_iova_state 16, an address with its length 16; sgfree compare counts whole pool objects of the NVMe driver, and 24 bytes for a state with its mapped length',
  directUsers:
    'an unmanaged domain for each task, mapped at the traced addresses and flushed before an unmapping returns, the same in every stage and mode',
} as const;

/** A trace that was replayed. */
export interface ReplayedTrace {
  readonly input: TraceInput;
  readonly tally: TraceTally;
  readonly report: ReplayReport;
}

/** The document, ready to print. */
export function replayDocument({ input, tally, report }: ReplayedTrace): string {
  const { cpus, nanoseconds, traced, devices, runs, verdict, otherDevices, unnamedLeftOut } = report;
  const document = {
    schema: REPLAY_SCHEMA,
    trace: { ...sourceOf(input), ...tallyOf(tally), cpus, mappedForNanoseconds: nanoseconds },
    inferred: {
      mappings: traced.inferred,
      meaning: meaningOf(traced),
      masks: 'a device has 64-bit masks once an address beyond 4 GiB was seen, 32-bit ones before',
    },
    traced: tracedSide(traced),
    devices: devices.map((device) => ({ ...device, ...tracedSide(device) })),
    otherDevices,
    unnamedLeftOut,
    counted: countingRules,
    runs: runs.map(runOf),
    verdict,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

const sourceOf = ({ name, bytesRead, damage }: TraceInput): object => ({ source: name, bytesRead, damage });

function tallyOf(tally: TraceTally): object {
  const { lines, bytes, eventLines, headerLines, otherLines, problemLines } = tally;
  const { lostEvents, overwrittenEvents, firstTime, lastTime, format, clock, kernel } = tally;
  const problems = [...tally.problems].map(([kind, problem]) => ({ kind, ...problem }));
  return {
    ...{ lines, bytes, eventLines, headerLines, otherLines, problemLines, lostEvents, overwrittenEvents },
    ...{ format, clock, kernel, firstTime, lastTime },
    events: Object.fromEntries(tally.events),
    problems,
  };
}

/** What the rules mean that were used. */
function meaningOf({ inferred }: TracedSide): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(reconstructionRules).filter(([rule]) => rule in inferred));
}

const tracedSide = (side: TracedSide): object => ({
  ...side,
  liveAtEnd: {
    ...side.liveAtEnd,
    first: side.liveAtEnd.first.map((leak) => ({ ...leak, dmaAddr: addressText(leak.dmaAddr) })),
  },
});

const runOf = (run: ReplayRunReport): object => ({
  ...run,
  devices: run.devices.map(deviceOf),
  checks: {
    ...run.checks,
    wrong: run.checks.wrong.map(({ line, address, expected, got }) => ({
      line,
      address: addressText(address),
      expected: addressText(expected),
      got: addressText(got),
    })),
  },
});

function deviceOf({ addressSpace, ...device }: RunDeviceReport): object {
  if (addressSpace === null) return { ...device, addressSpace };
  const { fragmentation } = addressSpace;
  const lowest = addressText(fragmentation.lowest);
  const highest = addressText(fragmentation.highest);
  return {
    ...device,
    addressSpace: { ...addressSpace, fragmentation: { ...fragmentation, lowest, highest } },
  };
}

/** -1 stands for no address. */
const addressText = (address: number): string | null => (address < 0 ? null : hex(address));
