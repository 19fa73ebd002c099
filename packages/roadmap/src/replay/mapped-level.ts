// MappedLevel: what is mapped at once, now and at most: mappings, their bytes in whole pages, the memory to track them.
// Source followed: none.
// Simplified: none.

/** A level that rises and falls. */
export class MappedLevel {
  mappings = 0;
  bytes = 0;
  trackingBytes = 0;
  peakMappings = 0;
  peakBytes = 0;
  peakTrackingBytes = 0;

  /** A mapping of `bytes` bytes was made that takes `tracking` bytes to remember. */
  map(bytes: number, tracking: number): void {
    this.mappings += 1;
    this.bytes += bytes;
    this.trackingBytes += tracking;
    if (this.mappings > this.peakMappings) this.peakMappings = this.mappings;
    if (this.bytes > this.peakBytes) this.peakBytes = this.bytes;
    if (this.trackingBytes > this.peakTrackingBytes) this.peakTrackingBytes = this.trackingBytes;
  }

  /** It was undone. */
  unmap(bytes: number, tracking: number): void {
    this.mappings -= 1;
    this.bytes -= bytes;
    this.trackingBytes -= tracking;
  }
}
