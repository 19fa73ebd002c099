// OutputQueue: what a reconstruction has to say, in the order of the trace. An item is entered when its line is read
// and may be understood later; everything behind it waits, for a bounded number of events.
// Simplified: an item that is overdue is decided by the rules for what nobody explains.

/** One line that has or will have something to say. */
export abstract class QueueItem {
  /** Number of its event. */
  readonly serial: number;
  /** True once it is understood. */
  ready = false;
  /** Its place in the queue. */
  place = -1;

  constructor(serial: number) {
    this.serial = serial;
  }

  /** False while knowledge that may still come would make it say more. */
  settled(): boolean {
    return true;
  }

  abstract emit(): void;
}

const FIRST_CAPACITY = 64;

/** A ring of items that grows up to the look-ahead; a place is a number that only rises. */
export class OutputQueue {
  #ring: (QueueItem | undefined)[] = new Array<QueueItem | undefined>(FIRST_CAPACITY);
  #head = 0;
  #count = 0;
  readonly #decide: (item: QueueItem) => void;

  /** `decide` makes an overdue item ready. */
  constructor(decide: (item: QueueItem) => void) {
    this.#decide = decide;
  }

  /** Items that wait. */
  get size(): number {
    return this.#count;
  }

  push(item: QueueItem): void {
    if (this.#count === this.#ring.length) this.#grow();
    item.place = this.#head + this.#count;
    this.#ring[item.place % this.#ring.length] = item;
    this.#count += 1;
  }

  /** An item has nothing to say after all, so that it need not be kept for its turn. */
  forget({ place }: QueueItem): void {
    if (place >= this.#head) this.#ring[place % this.#ring.length] = undefined;
  }

  #grow(): void {
    const { length } = this.#ring;
    const larger = new Array<QueueItem | undefined>(length * 2);
    for (let at = this.#head; at < this.#head + length; at += 1) {
      larger[at % larger.length] = this.#ring[at % length];
    }
    this.#ring = larger;
  }

  /** Emits what is decided, from the front; items before `overdue` are decided now. */
  drain(overdue: number): void {
    while (this.#count > 0) {
      const item = this.#ring[this.#head % this.#ring.length];
      if (item !== undefined) {
        if (item.serial >= overdue) {
          if (!item.ready || !item.settled()) return;
        } else if (!item.ready) this.#decide(item);
      }
      this.#ring[this.#head % this.#ring.length] = undefined;
      this.#head += 1;
      this.#count -= 1;
      item?.emit();
    }
  }
}
