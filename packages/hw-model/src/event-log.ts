// EventLog: the one ordered record of what a machine did, from TLPs to kernel trace events.
// Every floor posts to it; whoever prints or checks reads it afterwards. Off, it costs one test of `enabled`.
// Simplified: unbounded while enabled; times are clock steps, never wall time.

/**
 * One thing that happened. `kind` is namespaced by floor, e.g. `iommu:map` or `hw:fault`.
 * @public
 */
export interface ModelEvent {
  readonly kind: string;
  readonly [field: string]: unknown;
}

/**
 * Ordered record of model events. Guard each post: `if (log.enabled) log.post({...})`.
 * @public
 */
export class EventLog {
  enabled = false;
  readonly events: ModelEvent[] = [];

  post(event: ModelEvent): void {
    if (this.enabled) this.events.push(event);
  }

  clear(): void {
    this.events.length = 0;
  }
}
