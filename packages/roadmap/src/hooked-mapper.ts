// HookedMapper: wraps a stage's data mapper, so that each request's mapping work is booked to the request's class.
// Source followed: the driver's contract for data mappers (new state, map, unmap), kept by shape.
// Simplified: none; it adds no behaviour of its own.

import type { ReportClass } from './stage-report.ts';
import type { StackCommand, StackHooks } from './storage-stack.ts';

interface DataMapper<Request, Iod, Status> {
  newIod(request: Request): Iod;
  mapData(iod: Iod): Status;
  unmapData(iod: Iod): void;
}

/**
 * A data mapper that reports to hooks.
 * @internal
 */
export class HookedMapper<
  Request,
  Iod extends StackCommand & { readonly request: Request },
  Status extends string,
> implements DataMapper<Request, Iod, Status>
{
  readonly #inner: DataMapper<Request, Iod, Status>;
  readonly #hooks: StackHooks;
  readonly #classOf: (request: Request) => ReportClass;

  constructor(
    inner: DataMapper<Request, Iod, Status>,
    hooks: StackHooks,
    classOf: (request: Request) => ReportClass,
  ) {
    this.#inner = inner;
    this.#hooks = hooks;
    this.#classOf = classOf;
  }

  newIod(request: Request): Iod {
    return this.#inner.newIod(request);
  }

  mapData(iod: Iod): Status {
    const kind = this.#classOf(iod.request);
    const status = this.#hooks.map(kind, () => this.#inner.mapData(iod));
    if (status === 'ok') this.#hooks.mapped(kind, iod);
    return status;
  }

  unmapData(iod: Iod): void {
    const kind = this.#classOf(iod.request);
    this.#hooks.completed(kind, iod);
    this.#hooks.unmap(kind, () => this.#inner.unmapData(iod));
  }
}
