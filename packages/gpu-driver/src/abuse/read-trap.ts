// ReadTrap: notices that a property of an object is read while the trap is set.
// Source followed: hardware watchpoints: the object need not know of them.
// Simplified: own data properties; what is read is the value itself, or what `lend` makes of it.

/** A trap on one property. @internal */
export class ReadTrap<Owner extends object, Key extends keyof Owner> {
  /** Reads that counted. */
  reads = 0;
  readonly #owner: Owner;
  readonly #key: Key;
  readonly #lend: (value: Owner[Key], seen: () => void) => Owner[Key];

  constructor(
    owner: Owner,
    key: Key,
    lend = (value: Owner[Key], seen: () => void): Owner[Key] => {
      seen();
      return value;
    },
  ) {
    this.#owner = owner;
    this.#key = key;
    this.#lend = lend;
  }

  /** Runs `body` with the trap set. */
  during<T>(body: () => T): T {
    let value = this.#owner[this.#key];
    const seen = (): void => {
      this.reads += 1;
    };
    Object.defineProperty(this.#owner, this.#key, {
      configurable: true,
      enumerable: true,
      get: () => this.#lend(value, seen),
      set: (next: Owner[Key]) => {
        value = next;
      },
    });
    try {
      return body();
    } finally {
      Object.defineProperty(this.#owner, this.#key, {
        configurable: true,
        enumerable: true,
        writable: true,
        value,
      });
    }
  }
}

/** Lends a column of numbers and notices that its first one is read. @internal */
export const firstElement = (column: Float64Array, seen: () => void): Float64Array =>
  new Proxy(column, {
    get(target, key) {
      if (key === '0') seen();
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
    },
  });
