import { describe, expect, it } from 'vitest';
import { bytesOfText } from '../../test/reader/read-whole.ts';
import { readTrace } from './read-trace.ts';

const line = 'unmap: IOMMU: iova=0x0000000000001000 - 0x0000000000002000 size=4096 unmapped_size=4096';

async function* chunks(...texts: (string | Error)[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) {
    if (text instanceof Error) throw text;
    yield await Promise.resolve(bytesOfText(text));
  }
}

describe('readTrace', () => {
  it('reads a source to its end and tells what it counted', async () => {
    const lines: number[] = [];
    const tally = await readTrace(chunks(line.slice(0, 20), line.slice(20), '\n', line), (event) => {
      lines.push(event.line);
    });
    expect(lines).toEqual([1, 2]);
    expect(tally).toMatchObject({ lines: 2, usable: true, format: 'bare' });
  });

  it('gives the same object each time', async () => {
    const events = new Set<unknown>();
    await readTrace(chunks(`${line}\n${line}\n`), (event) => events.add(event));
    expect(events.size).toBe(1);
  });

  it('passes on what the source throws, after the events before it', async () => {
    let events = 0;
    const broken = readTrace(chunks(`${line}\n`, new Error('gone')), () => {
      events += 1;
    });
    await expect(broken).rejects.toThrow('gone');
    expect(events).toBe(1);
  });

  it('passes on what the callback throws', async () => {
    const failing = readTrace(chunks(`${line}\n`), () => {
      throw new Error('enough');
    });
    await expect(failing).rejects.toThrow('enough');
  });

  it('hands the options on', async () => {
    const tally = await readTrace(chunks(`${line}\n`), () => {}, { maxLineBytes: 10 });
    expect([...tally.problems.keys()]).toEqual(['too-long']);
  });
});
