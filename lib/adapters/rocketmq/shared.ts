/** What something shared was made from: when any of it has changed, another is needed. */
export interface Origin {
  /** Version of the cluster's record. */
  version: number;
  /** Members of the cluster's secret as one text, to compare. Never leaves this process. */
  secret: string;
  madeAtMs: number;
}

/** Something with connections, in use by several: once retired it is closed, but not before its last use has ended. */
export class Shared<T extends { close(): Promise<void> }> {
  readonly origin: Origin;
  readonly #value: T;
  readonly #retired = Promise.withResolvers<void>();
  #uses = 0;
  #isRetired = false;

  constructor(value: T, origin: Origin) {
    this.#value = value;
    this.origin = origin;
  }

  async use<R>(work: (value: T) => Promise<R>): Promise<R> {
    this.#uses += 1;
    try {
      return await work(this.#value);
    } finally {
      this.#uses -= 1;
      this.#closeWhenDone();
    }
  }

  /** Resolves when it is closed. */
  retire(): Promise<void> {
    this.#isRetired = true;
    this.#closeWhenDone();
    return this.#retired.promise;
  }

  #closeWhenDone(): void {
    if (this.#isRetired && this.#uses === 0) this.#retired.resolve(this.#value.close());
  }
}
