// A run as it is drawn: addresses as people write them, events of one clock step inside it, one sequence of packets.
import { expect, it } from 'vitest';
import { TraceReader } from '../../test/trace-reader.ts';
import type { RecordedEvent } from './machine-recorder.ts';
import { StageTracks } from './stage-tracks.ts';
import { TraceWriter } from './trace-writer.ts';
import type { TracedRun } from './traced-runs.ts';

const total = { mapCalls: 0, entriesWritten: 0, invalidationCommands: 0, structPagesTouched: 0 };

/** A run of 10 clock steps that begins 5 µs into the trace. */
function drawn(...events: readonly RecordedEvent[]): Uint8Array {
  const report = { stage: 1, title: 'stage', clockSteps: 10, bytesVerified: 0, total };
  const recorder = { events, devices: new Map([[8, 'disk']]) };
  const writer = new TraceWriter();
  expect(new StageTracks(writer, { report, recorder } as unknown as TracedRun, 5000).draw()).toBe(16_000);
  return writer.finish();
}

it('addresses are hexadecimal, counts are numbers, and what is neither is text', () => {
  const event = { kind: 'iommu:map', iova: 0xff000, paddr: 0x2000, size: 4096, ok: true, depth: -1 };
  const { events } = new TraceReader(drawn({ step: 2, event }));
  expect(events.find(({ name }) => name === 'iommu:map')?.annotations).toEqual({
    iova: '0xff000',
    paddr: '0x2000',
    size: 4096,
    ok: 'true',
    depth: '-1',
  });
});

it('events of one step follow each other inside it, however many they are', () => {
  const events = Array.from({ length: 1500 }, () => ({ step: 3, event: { kind: 'dma:map' } }));
  const times = new TraceReader(drawn(...events, { step: 4, event: { kind: 'dma:end' } })).events
    .filter(({ name }) => name?.startsWith('dma:') === true)
    .map(({ ns }) => ns);
  expect(times.slice(0, 3)).toEqual([8000, 8001, 8002]);
  expect(times.slice(-2)).toEqual([8999, 9000]);
});

it('a request takes the step that it is, and says when it was refused', () => {
  const request = {
    kind: 'hw:refused',
    requester: 8,
    write: true,
    address: 0x1000,
    bytes: 64,
    route: 'none',
  };
  const stranger = { ...request, requester: 9 };
  const { events, tracks } = new TraceReader(
    drawn({ step: 1, event: request }, { step: 1, event: stranger }),
  );
  const [device] = [...tracks].flatMap(([id, { name }]) => (name === 'device: disk' ? [id] : []));
  const own = events.filter(({ track }) => track === device);
  expect(own.map(({ ns, name, type }) => [ns, name, type])).toEqual([
    [6000, 'write refused', 1],
    [7000, null, 2],
  ]);
});

it('the first packet begins the sequence, all others go on with it', () => {
  const { sequenceFlags: flags } = new TraceReader(drawn({ step: 1, event: { kind: 'dma:map' } }));
  expect(flags.slice(0, 2)).toEqual([1, 2]);
  expect(new Set(flags.slice(1))).toEqual(new Set([2]));
});
