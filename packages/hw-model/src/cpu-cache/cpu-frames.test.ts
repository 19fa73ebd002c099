import { describe, expect, it } from 'vitest';
import { physAddr } from '../addresses.ts';
import { InternalError } from '../internal-error.ts';
import { PhysicalMemory } from '../physical-memory.ts';
import { CpuFrames } from './cpu-frames.ts';

function frames() {
  const memory = new PhysicalMemory();
  memory.addRam(physAddr(0), 1 << 20);
  return { memory, cpu: new CpuFrames(memory) };
}

describe('a frame', () => {
  it('starts as memory has it, and keeps its stores until they are written back, whole lines at a time', () => {
    const { memory, cpu } = frames();
    memory.frameWords(3)[5] = 7;
    const words = cpu.frameWords(3);
    expect([words[5], cpu.frameWords(3) === words]).toEqual([7, true]);
    words.set([1, 2, 3], 14);
    expect([...memory.frameWords(3).subarray(14, 17)]).toEqual([0, 0, 0]);
    expect(cpu.staleLines).toBe(2);
    cpu.writeBack(words, 15, 16);
    expect([...memory.frameWords(3).subarray(14, 17)]).toEqual([1, 2, 0]);
    expect(cpu.staleLines).toBe(1);
    cpu.writeBack(words, 16, 17);
    expect([memory.frameWords(3)[16], cpu.staleLines]).toEqual([3, 0]);
  });

  it('that is used anew is zero on both sides', () => {
    const { memory, cpu } = frames();
    cpu.frameWords(3)[0] = 9;
    memory.frameWords(3)[1] = 8;
    cpu.fresh(3);
    expect([cpu.frameWords(3)[0], memory.frameWords(3)[1], cpu.staleLines]).toEqual([0, 0, 0]);
  });

  it('is the only place that can be written back', () => {
    expect(() => frames().cpu.writeBack(new Uint32Array(1024), 0, 1)).toThrow(InternalError);
  });
});
