// PageFrames: which frames have which pagemap.

import { InternalError } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { PageFrames } from './page-frames.ts';

describe('PageFrames', () => {
  it('knows ordinary frames from zone-device ones', () => {
    const frames = new PageFrames();
    const bar = frames.addZoneDevice('pci-p2pdma', 0x1000, 0x10);
    const other = frames.addZoneDevice('pci-p2pdma', 0x1010, 0x10);
    expect(frames.pagemapOf(0xfff)).toBeUndefined();
    expect(frames.pagemapOf(0x1000)).toBe(bar);
    expect(frames.pagemapOf(0x100f)).toBe(bar);
    expect(frames.pagemapOf(0x1010)).toBe(other);
    expect(frames.samePagemap(0x1000, 0x1001)).toBe(true);
    expect(frames.samePagemap(0x100f, 0x1010)).toBe(false);
    expect(frames.samePagemap(0xfff, 0x1000)).toBe(false);
    frames.removeZoneDevice(bar);
    expect(frames.pagemapOf(0x1000)).toBeUndefined();
    expect(frames.pagemapOf(0x1010)).toBe(other);
  });

  it('refuses overlapping pagemaps', () => {
    const frames = new PageFrames();
    frames.addZoneDevice('generic', 10, 10);
    expect(() => frames.addZoneDevice('generic', 19, 1)).toThrow(InternalError);
    expect(() => frames.addZoneDevice('generic', 5, 6)).toThrow(InternalError);
    expect(frames.addZoneDevice('generic', 20, 1).id).toBe(2);
  });

  it('takes a pagemap away once', () => {
    const frames = new PageFrames();
    const bar = frames.addZoneDevice('pci-p2pdma', 10, 10);
    frames.removeZoneDevice(bar);
    expect(() => frames.removeZoneDevice(bar)).toThrow(InternalError);
    expect(frames.samePagemap(9, 10)).toBe(true);
  });

  it('counts nothing by itself', () => {
    const frames = new PageFrames();
    frames.addZoneDevice('generic', 10, 10);
    frames.pagemapOf(12);
    frames.samePagemap(1, 12);
    expect(frames.touched).toBe(0);
  });
});
